"""ArcFace's iResNet-50 in plain PyTorch, evaluation mode; gradient of a cosine by the picture."""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (x if self.downsample is None else self.downsample(x))


class IResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        width = 64
        for stage, (blocks, out) in enumerate(((3, 64), (4, 128), (14, 256), (3, 512))):
            layers = [Block(width if i == 0 else out, out, 2 if i == 0 else 1) for i in range(blocks)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
            width = out
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))


def work(task, weights, inputs):
    with torch.device("meta"):
        model = IResNet50()
    counts = {name: torch.tensor(0) for name, _ in model.named_buffers() if name.endswith("num_batches_tracked")}
    model.load_state_dict({**weights, **counts}, strict=True, assign=True)
    model.eval().requires_grad_(False)
    target = inputs["target"]

    def run():
        x = inputs["x"].detach().requires_grad_(True)
        loss = F.cosine_similarity(model(x), target).sum()
        (grad,) = torch.autograd.grad(loss, x)
        return loss, grad

    def check():
        loss, grad = run()
        return [loss.item(), grad.norm().item()]

    return run, check
