"""The rates of card.ts in PyTorch, on the same card: eager and compiled, in float32 and in bfloat16 (training: with autocast).

python pytorch.py '<json of card.ts>'; prints one line of JSON for each rate. TF32 is off, as float32 is meant.
"""

import json
import sys
import time
from functools import partial

import torch
from torch.nn import functional as F

from bench_pytorch import ADAM, DiT, attention

MODES = [("f32", False), ("f32", True), ("bf16", False), ("bf16", True)]


class Card:
    def __init__(self, asked):
        self.seconds, self.batch, self.parts = asked["seconds"], asked["batch"], asked["parts"]
        self.models, self.gemms, self.attentions = asked["models"], asked["gemms"], asked["attentions"]
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def time(self, call):
        """Least, middle and most milliseconds of a call, of five runs of a fifth of the seconds each."""

        def finish(count):
            self.wait()
            began = time.perf_counter()
            for _ in range(count):
                call()
            self.wait()
            return 1000 * (time.perf_counter() - began) / count

        finish(3)
        count = max(1, min(500, int(self.seconds * 200 / finish(2))))
        runs = sorted(finish(count) for _ in range(5))
        return [runs[0], runs[2], runs[4]]

    def measure(self, part, name, flops, images, make):
        for precision, is_compiled in MODES:
            if self.device == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            torch.compiler.reset()
            wrap = partial(torch.compile, dynamic=False) if is_compiled else (lambda function: function)
            rate = {"part": part, "name": name, "precision": precision}
            rate["engine"] = "pytorch compiled" if is_compiled else "pytorch eager"
            cast = torch.autocast(self.device, torch.bfloat16, enabled=precision == "bf16")
            try:
                with cast:
                    milliseconds = self.time(make(wrap, torch.bfloat16 if precision == "bf16" else torch.float32))
            except Exception as error:  # a compiler that is not there, or memory that is not
                print(json.dumps({**rate, "failed": f"{type(error).__name__}: {error}"[:300]}), flush=True)
                continue
            rate["milliseconds"] = milliseconds
            rate["teraflops"] = flops / milliseconds[1] / 1e9
            if images is not None:
                rate["imagesPerSecond"] = 1000 * images / milliseconds[1]
            rate["peakBytes"] = torch.cuda.max_memory_allocated() if self.device == "cuda" else 0
            print(json.dumps(rate), flush=True)

    def draw(self, *shape, dtype=torch.float32):
        return torch.randn(*shape, device=self.device, dtype=dtype)

    def run(self):
        if "gemm" in self.parts:
            for m, n, k in self.gemms:
                self.measure("gemm", f"{m}x{n}x{k}", 2 * m * n * k, None, partial(self.gemm, m, n, k))
        if "attention" in self.parts:
            for batch, tokens, heads, width in self.attentions:
                name = f"{batch} x {tokens} tokens, {heads} heads of {width}"
                flops = 4 * batch * heads * tokens * tokens * width
                shape = (batch, tokens, 3 * heads * width)
                self.measure("attention", name, flops, None, partial(self.attention, shape, heads, False))
                self.measure("attention with gradient", name, 3.5 * flops, None, partial(self.attention, shape, heads, True))
        for model in self.models:
            name = f"{model['name']}, batch {self.batch}"
            flops = model["forwardFlops"] * self.batch
            if "train" in self.parts:
                self.measure("train", name, 3 * flops, self.batch, partial(self.train, model["config"]))
            if "sample" in self.parts:
                self.measure("sample: one forward pass", name, flops, self.batch, partial(self.sample, model["config"]))

    def gemm(self, m, n, k, wrap, dtype):
        x, weight = self.draw(m, k, dtype=dtype), self.draw(n, k, dtype=dtype)
        product = wrap(lambda: F.silu(F.linear(x, weight)))
        return torch.inference_mode()(product)

    def attention(self, shape, heads, with_gradient, wrap, dtype):
        qkv = self.draw(*shape, dtype=dtype).requires_grad_(with_gradient)
        if not with_gradient:
            return torch.inference_mode()(wrap(lambda: attention(qkv, heads)))
        loss = wrap(lambda x: attention(x, heads).mean())

        def both():
            qkv.grad = None
            loss(qkv).backward()

        return both

    def model(self, config):
        model = DiT(config).to(self.device)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.02)
        side = config["inputSize"]
        t = torch.arange(self.batch, device=self.device)
        return model, self.draw(self.batch, 4, side, side), (t * 31) % 1000, t % 1000

    def train(self, config, wrap, _):
        model, xt, timesteps, labels = self.model(config)
        noise = torch.randn(self.batch, model.out_channels, *xt.shape[2:], device=self.device)
        trained = [p for p in model.parameters() if p.requires_grad]
        adam = torch.optim.AdamW(trained, **ADAM, fused=True)
        loss = wrap(lambda: F.mse_loss(model(xt, timesteps, labels), noise))

        def step():
            adam.zero_grad()
            loss().backward()
            adam.step()

        return step

    def sample(self, config, wrap, dtype):
        model, xt, timesteps, labels = self.model(config)
        model = model.to(dtype)
        return torch.inference_mode()(wrap(lambda: model(xt, timesteps, labels)))


if __name__ == "__main__":
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    card = Card(json.loads(sys.argv[1]))
    name = torch.cuda.get_device_name() if card.device == "cuda" else "processor"
    print(json.dumps({"device": name, "torch": torch.__version__}), flush=True)
    card.run()
