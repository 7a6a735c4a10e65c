"""Shapes that core and plugins agree on: frozen dataclasses and Protocols, standard library only."""
