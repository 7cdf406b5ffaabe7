"""Answers about the Nagorno-Karabakh conflict, cut from cited sources."""
