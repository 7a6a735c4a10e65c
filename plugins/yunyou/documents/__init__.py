"""Pure rules: the document of a solution: its shape, how it is read and checked, and what its values come to."""
