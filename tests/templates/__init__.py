"""How templates are laid out: ``python -m tests.templates`` formats them, with ``--check`` it tells which are not.

No formatter of Jinja keeps 120 columns without changing what pages show (docs/decisions/0016-templates.md). This one
breaks a line only where white space means nothing: between attributes, inside of an expression, around what stands on
its own. What is glued to text stays so.
"""
