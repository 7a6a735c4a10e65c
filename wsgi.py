"""The application for any WSGI server: ``gunicorn wsgi:app``."""

from app.application import create_app

app = create_app()
