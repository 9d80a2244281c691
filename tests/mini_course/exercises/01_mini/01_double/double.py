import torch


# --- task 1 ---
def double(x):
    """2x."""
    raise NotImplementedError


# --- end ---


# --- task 2 ---
def outer(a, b):
    """a[i] * b[j], of shape (len(a), len(b))."""
    raise NotImplementedError


# --- end ---


# --- task 3 ---
def quadruple(x):
    """4x, by means of double."""
    raise NotImplementedError


# --- end ---
