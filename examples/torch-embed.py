#!/usr/bin/env python3
"""embed with any torch network: facecrop a.jpg b.jpg | python3 torch-embed.py MODULE:FUNCTION | verify -t 0.4

FUNCTION returns a torch.nn.Module that takes images [N, 3, H, W], RGB from -1 to 1, and gives embeddings [N, D]. Without it: the project's own network."""
import sys

import torch
import xfv
import xfv.torch

net = xfv.torch.network(*sys.argv[1:])
with torch.no_grad():
    for face in xfv.stage("torch-embed", "1", args=sys.argv[1:], kind="face"):
        face["embedding"] = net(torch.from_numpy(face.image.astype("f4"))[None])[0].numpy()
