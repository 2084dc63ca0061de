# The examples in torch, against the programs that compute the same. Needs Debian's python3-torch.
. "$top/tests/tap.sh"
"$PYTHON" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("torch"))' || {
    skip "torch" "no python3-torch here"; done_testing; exit 0; }
export OMP_NUM_THREADS=1
facecrop "$top/tests/photos/anna-1.jpg" "$top/tests/photos/anna-2.jpg" -o crops.xfv
embed crops.xfv | verify --all -o pairs.xfv
"$PYTHON" "$top/examples/torch-embed.py" <crops.xfv >faces.xfv; is $? 0 "torch-embed runs"
cat >each.py <<'PY'
"""each.py FILE: examples in a process each, forked from one that has loaded torch, which takes longer than they. A line of FILE holds NAME INPUT OUTPUT
[ARGUMENT]...; what an example says goes to OUTPUT.err. Prints each name and status."""
import os, runpy, sys
import numpy, torch, xfv, xfv.torch
sys.path.append(".")
for line in open(sys.argv[1]):
    name, source, target, *arguments = line.split()
    child = os.fork()
    if child == 0:
        for fd, path, how in ((0, source, os.O_RDONLY), (1, target, os.O_WRONLY | os.O_CREAT), (2, target + ".err", os.O_WRONLY | os.O_CREAT)): os.dup2(os.open(path, how), fd)
        sys.argv = [f"{os.environ['top']}/examples/torch-{name}.py", *arguments]
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.exit()
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
PY
cat >mine.py <<'PY'
import torch
def net():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 9, 8), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.LazyLinear(32))
PY
# The packages' adapters, with stand-ins of the same interface where the packages are not installed.
mkdir -p standin/captum standin/pytorch_grad_cam
cat >standin/pytorch_grad_cam/__init__.py <<'PY'
import torch
class GradCAM:
    def __init__(self, model, target_layers):
        self.model, self.seen = model, []
        for layer in target_layers: layer.register_forward_hook(lambda m, i, o: (o.retain_grad(), self.seen.append(o))[0])
    def __enter__(self): return self
    def __exit__(self, *a): pass
    def get_target_width_height(self, x): return x.shape[3], x.shape[2]
    def __call__(self, input_tensor, targets):
        x = input_tensor.clone().requires_grad_()
        sum(t(o) for t, o in zip(targets, self.model(x))).backward()
        h = self.seen[-1]
        cam = (h.grad.mean((2, 3), keepdim=True) * h).sum(1, keepdim=True).relu()
        width, height = self.get_target_width_height(input_tensor)
        cam = torch.nn.functional.interpolate(cam, (height, width), mode="bilinear")[:, 0]
        return ((cam - cam.min()) / (cam.max() - cam.min() + 1e-7)).detach().numpy()
PY
: >standin/captum/__init__.py
cat >standin/captum/attr.py <<'PY'
import torch
class IntegratedGradients:
    def __init__(self, forward): self.forward = forward
    def attribute(self, x, baselines, n_steps):
        total = torch.zeros_like(x)
        for i in range(n_steps):
            at = (baselines + (i + 0.5) / n_steps * (x - baselines)).detach().requires_grad_()
            total += torch.autograd.grad(self.forward(at).sum(), at)[0] / n_steps
        return total * (x - baselines)
PY
have() { "$PYTHON" -c "import $1" 2>/dev/null; }
have captum && have pytorch_grad_cam || PYTHONPATH="$PYTHONPATH:standin"
export PYTHONPATH
cosine-grad pairs.xfv | gradcam -o before.xfv
cat >first <<'END'
gradient before.xfv one.xfv
gradcam one.xfv two.xfv
loss two.xfv maps.xfv
embed crops.xfv own-faces.xfv mine:net
package pairs.xfv grad-cam.xfv grad-cam
package pairs.xfv integrated-gradients.xfv integrated-gradients
END
"$PYTHON" each.py first >statuses
is "$(tr '\n' ' ' <statuses)" "gradient 0 gradcam 0 loss 0 embed 0 package 0 package 0 " \
    "torch-gradient, -gradcam, -loss, -embed and -package run"
xfv-check maps.xfv faces.xfv; ok $? "their streams are sound"
cat >compare.py <<'PY'
import numpy as np, xfv
theirs = {f.id: f.embedding for f in xfv.read("faces.xfv").faces}
gap, cam, grad, loss = [], [], [], []
for p in xfv.read("maps.xfv").pairs:
    gap += [np.abs(theirs[f.id] - f.embedding).max() / np.linalg.norm(f.embedding) for f in (p.a, p.b)]
    for side in "ab":
        scale = max(np.abs(v).max() for v in p.map("gradcam")[side].values())
        cam += [np.abs(p.map("gradcam")[side][k] - p.map("torch-gradcam")[side][k]).max() / scale for k in ("similarity", "dissimilarity")]
        c, t = (p.map(m)[side]["similarity"] for m in ("cosine-gradient", "torch-gradient"))
        grad.append(np.linalg.norm(c - t) / np.linalg.norm(c))
        loss.append(np.abs(p.map("torch-loss")[side]["similarity"]).max())
print("embedding", max(gap) < 1e-5, "gradcam", max(cam) < 1e-4, "gradient", max(grad) < 1e-2 and np.median(grad) < 2e-3, "loss", min(loss) > 0)
PY
is "$("$PYTHON" compare.py)" "embedding True gradcam True gradient True loss True" \
    "embeddings within 1e-5 of the norm, Grad-CAM within 1e-4, the gradient but for kinks"
verify --all -t 0.5 -o own.xfv own-faces.xfv;
is "$? $(xfv-json own.xfv | grep -c '"accept"')" "0 1" "torch-embed takes a network of one's own"
cat >second <<'END'
gradient own.xfv own-one.xfv mine:net
loss own-one.xfv own-maps.xfv mine:net
gradient own.xfv other-gradient.xfv
gradcam own.xfv other-gradcam.xfv
loss own.xfv other-loss.xfv
END
"$PYTHON" each.py second >statuses
is "$(tr '\n' ' ' <statuses)" "gradient 0 loss 0 gradient 1 gradcam 1 loss 1 " \
    "torch-gradient and torch-loss explain it, and pairs of a network that is not theirs fail"
is "$(xfv-json own-maps.xfv | jq -c 'select(._ == "pair").maps | map(.method)')" '["torch-gradient","torch-loss"]' \
    "the maps of one's own network stand in the pair"
for m in gradient gradcam loss; do
    is "$(xfv-json other-$m.xfv | jq -c 'select(._ == "err").code')" '"failed"' \
        "torch-$m refuses the embeddings of another network"
    like "$(cat other-$m.xfv.err)" 'another network made these embeddings' "torch-$m says so"
done
is "$(xfv-json maps.xfv | jq -r 'select(._ == "pair").accept' | tr '\n' ' ')" "true " \
    "(the project's own decides the same)"

for m in grad-cam integrated-gradients; do
    is "$(xfv-json $m.xfv | jq -c 'select(._ == "pair").maps[0].method' | sort -u)" "\"package-$m\"" \
        "torch-package adds the maps of $m"
done
done_testing
