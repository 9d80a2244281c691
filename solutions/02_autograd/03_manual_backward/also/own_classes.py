import sys; sys.path.insert(0, "/tmp/adv-a/m")
from b import *
R=[]
R.append(("2.3 OWN backward methods","2.3",'''from operator import attrgetter
import torch
def linear_backward(x, W, grad_y): return grad_y @ W, grad_y.T @ x, grad_y.sum(0)
def relu_backward(x, grad_y): return grad_y * (x > 0)
def cross_entropy(logits, target):
    p = logits.softmax(1); hot = torch.nn.functional.one_hot(target, logits.shape[1])
    return torch.nn.functional.cross_entropy(logits, target), (p - hot) / len(target)
class Linear:
    def __init__(self, W, b): self.W, self.b = W, b
    def forward(self, x): self.x = x; return x @ self.W.T + self.b
    def backward(self, g):
        g, self.gW, self.gb = linear_backward(self.x, self.W, g); return g
class ReLU:
    def forward(self, x): self.x = x; return x.clamp(min=0)
    def backward(self, g): return relu_backward(self.x, g)
def mlp_gradients(x, target, W1, b1, W2, b2):
    layers = [Linear(W1, b1), ReLU(), Linear(W2, b2)]
    for l in layers: x = l.forward(x)
    g = cross_entropy(x, target)[1]
    for l in layers[::-1]: g = l.backward(g)
    return *attrgetter("gW", "gb")(layers[0]), getattr(layers[2], "gW"), layers[2].gb
'''))
