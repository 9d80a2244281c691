def grad(x, w):
    return 2 * x.T @ (x @ w)
