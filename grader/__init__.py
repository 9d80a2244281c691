"""The grader: judges answers to a course's exercises, each in a confined process."""

__version__ = "0.1.0"
