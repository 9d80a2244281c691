"""Verdicts in the forms that other systems read: one module each, verdicts in, text or bytes out."""
