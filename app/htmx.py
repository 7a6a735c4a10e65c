"""What HTMX tells of a request, by Flask-HTMX: true where the script of the page sent it."""

from flask_htmx import HTMX

htmx = HTMX()
