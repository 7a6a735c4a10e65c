"""Solutions: imported documents, listed, read and given up."""
