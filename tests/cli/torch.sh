# The examples in torch, against the programs that compute the same. Needs Debian's python3-torch.
. "$top/tests/tap.sh"
"$PYTHON" -c 'import torch' 2>/dev/null || { skip "torch" "no python3-torch here"; done_testing; exit 0; }
export OMP_NUM_THREADS=1
facecrop "$top/tests/photos/anna-1.jpg" "$top/tests/photos/anna-2.jpg" -o crops.xfv
embed crops.xfv | verify --all -o pairs.xfv
example() { "$PYTHON" "$top/examples/torch-$1.py" ${2:-}; }
example embed <crops.xfv >faces.xfv; is $? 0 "torch-embed: runs"
cosine-grad pairs.xfv | gradcam | example gradient | example gradcam | example loss >maps.xfv; is $? 0 "torch-gradient, torch-gradcam, torch-loss: run"
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
is "$("$PYTHON" compare.py)" "embedding True gradcam True gradient True loss True" "embeddings within 1e-5 of the norm, Grad-CAM within 1e-4, the gradient but for kinks"
cat >mine.py <<'PY'
import torch
def net():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 9, 8), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.LazyLinear(32))
PY
own() { PYTHONPATH="$PYTHONPATH:." example "$@"; }
own embed mine:net <crops.xfv | verify --all -t 0.5 -o own.xfv; is "$? $(xfv-json own.xfv | grep -c '"accept"')" "0 1" "torch-embed takes a network of one's own"
own gradient mine:net <own.xfv | own loss mine:net | xfv-json | jq -c 'select(._ == "pair").maps | map(.method)' >m
is "$(cat m)" '["torch-gradient","torch-loss"]' "torch-gradient and torch-loss explain it"
for m in gradient gradcam loss; do
    example $m <own.xfv 2>err | xfv-json | jq -c 'select(._ == "err").code' >m; is "$(cat m)" '"failed"' "torch-$m refuses the embeddings of another network"
    like "$(cat err)" 'another network made these embeddings' "and says so"
done
is "$(xfv-json maps.xfv | jq -r 'select(._ == "pair").accept' | tr '\n' ' ')" "true " "(the project's own decides the same)"

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
for m in grad-cam integrated-gradients; do
    example package $m <pairs.xfv | xfv-json | jq -c 'select(._ == "pair").maps[0].method' >m; is "$? $(sort -u m)" "0 \"package-$m\"" "torch-package: $m"
done
done_testing
