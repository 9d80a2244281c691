"""Where a gradebook can go: one module for each interface, which knows the nouns and the reports alone."""
