# The networks of @dit/features in eager float32 PyTorch, for rates.ts: for every name on its standard input it runs one batch and writes its seconds.
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

sys.path.append(str(Path(__file__).parents[2] / "tools/oracle"))
from feature_weights import formula_picture

question = json.loads(sys.argv[1])
torch.set_num_threads(question["threads"])


def pictures(count, size):
    return torch.from_numpy(np.stack([formula_picture(size, size, n) for n in range(count)])).permute(0, 3, 1, 2).contiguous()


def inception():
    model = FeatureExtractorInceptionV3("inception", ["2048"], question["inception"])
    batch = pictures(question["count"], 299)
    return lambda: model(batch)[0]


def lite0():
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(question["lite0"], weights_only=True))
    model.eval()
    batch = pictures(question["count"], 224)
    return lambda: model((batch.float() - 127) / 128)


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


RUNS = {name: make() for name, make in {"inception": inception, "lite0": lite0}.items() if name in question}
print(json.dumps({"what": f"PyTorch {torch.__version__}, eager, float32"}), flush=True)
for line in sys.stdin:
    start, cpu = time.perf_counter(), cpu_seconds()
    with torch.no_grad():
        out = RUNS[line.strip()]()
    answer = {"seconds": time.perf_counter() - start, "cpuSeconds": cpu_seconds() - cpu, "first": float(out.flatten()[0])}
    print(json.dumps(answer), flush=True)
