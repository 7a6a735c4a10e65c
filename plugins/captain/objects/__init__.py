"""Objects of any kind in a cluster: kinds, the mirror that lists them, their live form, what their pages share."""
