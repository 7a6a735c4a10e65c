"""Pages and API of every plugin's orders: they are made by plugins, and read and controlled here (C-44)."""
