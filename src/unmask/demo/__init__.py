"""The whole line on the documentation of the installed Python."""
