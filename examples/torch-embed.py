#!/usr/bin/env python3
"""embed with any torch network: facecrop a.jpg b.jpg | python3 torch-embed.py MODULE:FUNCTION | verify -t 0.4

FUNCTION returns a torch.nn.Module that takes images [N, 3, H, W], RGB from -1 to 1, and gives embeddings [N, D]. Without it: the project's own network."""
import importlib
import sys

import torch
import xfv
import xfv.torch

if len(sys.argv) > 1:
    module, function = sys.argv[1].split(":")
    net = getattr(importlib.import_module(module), function)().eval()
    embed = lambda image: net((image.permute(0, 3, 1, 2) - 127.5) / 127.5)
else:
    embed = xfv.torch.module()

with torch.no_grad():
    for face in xfv.stage("torch-embed", "1", args=sys.argv[1:], kind="face"):
        image = torch.from_numpy(face.image.astype("f4"))[None]
        face["embedding"] = embed(image)[0].numpy()
