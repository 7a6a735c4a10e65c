"""Pure rules: what applications become in a cluster: their objects, names, labels and pods."""
