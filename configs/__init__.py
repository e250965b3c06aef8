"""The recipes, one file each; `base.py` holds the fields that they share."""
