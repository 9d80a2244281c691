import torch


# --- task 1 ---
def double(x):
    """2x."""
    return 2 * x


# --- end ---


# --- task 2 ---
def outer(a, b):
    """a[i] * b[j], of shape (len(a), len(b))."""
    return a[:, None] * b


# --- end ---


# --- task 3 ---
def quadruple(x):
    """4x, by means of double."""
    return double(double(x))


# --- end ---
