"""The commands, by who gives them; only the module of the one that is given is imported."""
