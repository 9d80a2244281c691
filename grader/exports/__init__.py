"""Marks and verdicts as other systems take them: one module each, which knows the nouns and the reports alone."""
