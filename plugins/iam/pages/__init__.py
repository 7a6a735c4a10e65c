"""Pages of IAM."""

from flask import Blueprint

bp = Blueprint("iam", __name__)
