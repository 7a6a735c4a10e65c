"""The HTTP side: paths, authentication, discovery, lists, watches and writes."""
