"""Verdicts into words and pictures, in English and Chinese. Every word for people is in messages.yaml."""
