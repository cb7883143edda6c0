"""The cases of the bench in PyTorch, on the processor: a worker like worker.ts, see protocol.ts.

Needs torch alone. Written as one writes PyTorch: nn modules, scaled_dot_product_attention, autocast. The engine `pytorch` is eager,
float32, with AdamW in its default form; the others have it fused, and are compiled, in bfloat16, or both.
"""

import json
import math
import resource
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

ADAM = dict(lr=1e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
EMA_DECAY = 0.9999
DTYPES = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        start = 8 + length
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            values = torch.frombuffer(bytearray(file.read(end - begin)), dtype=DTYPES[entry["dtype"]])
            yield name, values.reshape(entry["shape"])


class Form:
    """How PyTorch computes: what the name of the engine says."""

    def __init__(self, engine):
        self.is_compiled = "compile" in engine
        self.dtype = torch.bfloat16 if engine.endswith("bf16") else torch.float32
        self.adam = dict(ADAM, fused=True) if engine != "pytorch" else ADAM

    def autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def compiled(self, function):
        return torch.compile(function) if self.is_compiled else function


class Block(nn.Module):
    def __init__(self, width, num_heads, mlp_ratio):
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        hidden = int(width * mlp_ratio)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c).unsqueeze(1).chunk(6, dim=-1)
        mixed = attention(self.attn.qkv(self.norm(x) * (1 + scale1) + shift1), self.num_heads)
        x = x + gate1 * self.attn.proj(mixed)
        hidden = F.gelu(self.mlp.fc1(self.norm(x) * (1 + scale2) + shift2), approximate="tanh")
        return x + gate2 * self.mlp.fc2(hidden)


def attention(qkv, num_heads):
    batch, tokens, width = qkv.shape
    q, k, v = qkv.reshape(batch, tokens, 3, num_heads, -1).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v)
    return mixed.transpose(1, 2).reshape(batch, tokens, width // 3)


class DiT(nn.Module):
    """Parameter names are those of the state dict."""

    def __init__(self, config, recompute="none"):
        super().__init__()
        width, self.patch, channels = config["hiddenSize"], config["patchSize"], config["inChannels"]
        self.out_channels = channels * (2 if config["learnSigma"] else 1)
        side = config["inputSize"] // self.patch
        self.recompute = recompute == "block"
        self.pos_embed = nn.Parameter(torch.zeros(1, side * side, width), requires_grad=False)
        self.x_embedder = nn.ModuleDict({"proj": nn.Conv2d(channels, width, self.patch, self.patch)})
        self.t_embedder = nn.ModuleDict({"mlp": nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))})
        rows = config["numClasses"] + (1 if config["classDropout"] > 0 else 0)
        self.y_embedder = nn.ModuleDict({"embedding_table": nn.Embedding(rows, width)})
        self.blocks = nn.ModuleList(
            [Block(width, config["numHeads"], config["mlpRatio"]) for _ in range(config["depth"])]
        )
        self.final_norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.final_layer = nn.ModuleDict(
            {
                "linear": nn.Linear(width, self.patch**2 * self.out_channels),
                "adaLN_modulation": nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width)),
            }
        )

    def forward(self, xt, timesteps, labels):
        x = self.x_embedder.proj(xt).flatten(2).transpose(1, 2) + self.pos_embed
        c = self.t_embedder.mlp(timestep_features(timesteps)) + self.y_embedder.embedding_table(labels)
        for block in self.blocks:
            x = checkpoint(block, x, c, use_reentrant=False) if self.recompute else block(x, c)
        shift, scale = self.final_layer.adaLN_modulation(c).unsqueeze(1).chunk(2, dim=-1)
        x = self.final_layer.linear(self.final_norm(x) * (1 + scale) + shift)
        batch, _, height, width = xt.shape
        p = self.patch
        x = x.reshape(batch, height // p, width // p, p, p, self.out_channels)
        return torch.einsum("nhwpqc->nchpwq", x).reshape(batch, self.out_channels, height, width)


def timestep_features(timesteps):
    frequencies = torch.exp(-math.log(10000) * torch.arange(128, dtype=torch.float32, device=timesteps.device) / 128)
    angles = timesteps[:, None].float() * frequencies
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


def load_model(spec, files):
    model = DiT(spec["model"], spec.get("recompute", "none"))
    with torch.no_grad():
        parameters = dict(model.named_parameters())
        for name, values in read_safetensors(files["weights"]):
            parameters.pop(name).copy_(values)
    if parameters:
        raise RuntimeError(f"pytorch: the weights lack {', '.join(parameters)}")
    return model


def bytes_of(tensors):
    return sum(4 * tensor.numel() for tensor in tensors)


class TrainStep:
    def __init__(self, spec, files, form):
        self.form = form
        self.model = load_model(spec, files)
        self.compiled = form.compiled(self.model)
        self.inputs = dict(read_safetensors(files["inputs"]))
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.adam = torch.optim.AdamW(self.trained, **form.adam)
        self.state_bytes = bytes_of(self.model.parameters()) + 3 * bytes_of(self.trained)

    def gradients(self):
        self.adam.zero_grad()
        inputs = self.inputs
        with self.form.autocast():
            predicted = self.compiled(inputs["xt"], inputs["timesteps"], inputs["labels"])
        loss = F.mse_loss(predicted.float(), inputs["noise"])
        loss.backward()
        return loss.item()

    def verify(self):
        values = []
        for _ in range(2):
            loss = self.gradients()
            norm = math.sqrt(sum(p.grad.double().square().sum().item() for p in self.trained))
            values += [loss, norm]
            self.adam.step()
        return values

    def run(self):
        self.gradients()
        self.adam.step()


class Sample:
    def __init__(self, spec, files, form):
        self.form = form
        self.model = load_model(spec, files)
        self.compiled = form.compiled(self.model)
        self.inputs = dict(read_safetensors(files["inputs"]))
        self.guidance = spec["guidance"]
        none = torch.full((spec["batch"],), spec["model"]["numClasses"], dtype=torch.int32)
        self.labels = torch.cat([self.inputs["labels"], none])
        self.state_bytes = bytes_of(self.model.parameters())

    @torch.inference_mode()
    def run(self):
        x = self.inputs["xT"]
        alpha_bar = self.inputs["alphaBar"].tolist()
        for i, timestep in reversed(list(enumerate(self.inputs["timesteps"].tolist()))):
            now, previous = alpha_bar[i], 1.0 if i == 0 else alpha_bar[i - 1]
            told = torch.full((2 * x.shape[0],), timestep)
            with self.form.autocast():
                predicted = self.compiled(torch.cat([x, x]), told, self.labels)
            cond, uncond = predicted.float().chunk(2)
            noise = uncond + self.guidance * (cond - uncond)
            x0 = (x - math.sqrt(1 - now) * noise) / math.sqrt(now)
            x = math.sqrt(previous) * x0 + math.sqrt(1 - previous) * noise
        return x

    def verify(self):
        return spot_values(self.run())


class Gemm:
    """In bfloat16 the operands are rounded before, and the product stays as it is."""

    def __init__(self, spec, files, form):
        inputs = dict(read_safetensors(files["inputs"]))
        self.state_bytes = bytes_of(inputs.values())
        a, b = inputs["a"].to(form.dtype), inputs["b"].to(form.dtype)
        self.a = a.T if spec["transposeA"] else a
        self.b = b.T if spec["transposeB"] else b
        self.multiply = form.compiled(torch.matmul)
        self.calls = spec["calls"]

    def run(self):
        for _ in range(self.calls):
            product = self.multiply(self.a, self.b)
        return product.float()

    def verify(self):
        return spot_values(self.run())


class Attention:
    def __init__(self, spec, files, form):
        inputs = dict(read_safetensors(files["inputs"]))
        self.state_bytes = bytes_of(inputs.values())
        self.qkv, self.dout = inputs["qkv"].to(form.dtype).requires_grad_(), inputs["dout"].to(form.dtype)
        self.attention = form.compiled(attention)
        self.num_heads = spec["numHeads"]

    def run(self):
        self.qkv.grad = None
        self.attention(self.qkv, self.num_heads).backward(self.dout)

    def verify(self):
        self.run()
        return spot_values(self.qkv.grad.float())


class Optimizer:
    def __init__(self, spec, files, form):
        inputs = dict(read_safetensors(files["inputs"]))
        self.parameter = nn.Parameter(inputs["parameter"])
        self.parameter.grad = inputs["gradient"]
        self.ema = torch.zeros_like(self.parameter)
        self.adam = torch.optim.AdamW([self.parameter], **form.adam)
        self.state_bytes = 5 * bytes_of([self.parameter])

    def run(self):
        self.adam.step()
        with torch.no_grad():
            self.ema.lerp_(self.parameter, 1 - EMA_DECAY)

    def verify(self):
        self.run()
        return spot_values(self.parameter.detach()) + [x / (1 - EMA_DECAY) for x in spot_values(self.ema)]


class Rng:
    """The generator of PyTorch is another one, so there is nothing to compare."""

    state_bytes = 0

    def __init__(self, spec, files, form):
        self.size = spec["size"]

    def run(self):
        torch.randn(self.size)

    def verify(self):
        self.run()
        return None


def spot_values(tensor):
    values = tensor.flatten()
    return [values[int((i + 0.5) * values.numel() / 16)].item() for i in range(16)]


WORKLOADS = {
    "train-step": TrainStep,
    "sample": Sample,
    "gemm": Gemm,
    "attention": Attention,
    "optimizer": Optimizer,
    "rng": Rng,
}


def process_memory():
    """Resident and peak bytes: VmRSS and VmHWM on Linux."""
    try:
        with open("/proc/self/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        return [1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM")]
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return [peak, peak]


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return True
    except OSError:
        return False


class Worker:
    def __init__(self):
        self.workload = None
        self.form = None

    def answer(self, question):
        ask = question["ask"]
        if ask == "open":
            self.form = Form(question["engine"])
            torch.set_num_threads(question["threads"])
            torch.ones(64, 64) @ torch.ones(64, 64)
            resident, _ = process_memory()
            return {
                "description": f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}",
                "threads": torch.get_num_threads(),
                "idleBytes": resident,
            }
        if ask == "load":
            self.workload = WORKLOADS[question["spec"]["kind"]](question["spec"], question["files"], self.form)
            return {"stateBytes": self.workload.state_bytes}
        if ask == "verify":
            return {"values": self.workload.verify()}
        if ask == "settle":
            return {"isPeakReset": reset_peak()}
        if ask == "run":
            cpu, start = time.process_time(), time.perf_counter()
            self.workload.run()
            ms = 1000 * (time.perf_counter() - start)
            return {"ms": ms, "cpuMs": 1000 * (time.process_time() - cpu)}
        if ask == "memory":
            return {"peakBytes": process_memory()[1], "backendPeakBytes": None}
        raise ValueError(f"pytorch: no question {ask}")


def main():
    worker = Worker()
    for line in sys.stdin:
        try:
            reply = worker.answer(json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
