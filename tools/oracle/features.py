"""Writes what torch makes of pictures by the networks of @dit/features, with weights by formula.

    python tools/oracle/features.py packages/features/test/fixtures            the committed fixtures
    python tools/oracle/features.py FOLDER --files [--lite0 FILE.pth]          the same beside .pth files, for compare-features.ts

Needs torch, safetensors, pillow, torch-fidelity and efficientnet-lite-pytorch; made with torch 2.15.0, pillow 13.0.0, torch-fidelity 0.4.0 and
efficientnet-lite-pytorch 0.1.0 on the CPU. Values are float64 evaluations; the metadata has how far float32 is from them, relative to the
largest value of each layer.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import save_file
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from feature_weights import formula_picture, formula_weights

LAYERS = ["64", "192", "768", "2048", "logits_unbiased", "logits"]


def shapes_of(model):
    return {name: tuple(value.shape) for name, value in model.items() if not name.endswith("num_batches_tracked")}


def inception(path, dtype):
    model = FeatureExtractorInceptionV3("inception", LAYERS, path).to(dtype)
    model.feature_extractor_internal_dtype = dtype  # by its own option, float64 is float32
    return model


def inception_features(model, picture):
    """Layers by the names of torch-fidelity, and the features of sFID as ADM's evaluator takes them."""
    kept = []
    hook = model.Mixed_6d.branch1x1.register_forward_hook(lambda module, given, out: kept.append(out))
    with torch.no_grad():
        found = dict(zip(LAYERS, model(torch.from_numpy(picture).permute(2, 0, 1)[None])))
    hook.remove()
    found["spatial"] = kept[0][:, :7].permute(0, 2, 3, 1).flatten(1)
    return found


def lite0(weights, dtype):
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()}, strict=False)
    return model.eval().to(dtype)


def lite0_input(picture):
    """Pillow's bicubic on float channels, as clean-fid calls it, then EfficientNet-Lite's normalization."""
    channels = [
        np.asarray(Image.fromarray(picture[:, :, c].astype(np.float32)).resize((224, 224), Image.BICUBIC)) for c in range(3)
    ]
    return torch.from_numpy((np.stack(channels).clip(0, 255) - 127) / 128)[None]


def lite0_features(model, picture):
    kept = {}
    hooks = [
        block.register_forward_hook(lambda module, given, out, i=i: kept.update({f"block-{i}": out.mean((2, 3))}))
        for i, block in enumerate(model._blocks)
    ]
    hooks.append(model._avg_pooling.register_forward_hook(lambda module, given, out: kept.update(pool=out.flatten(1))))
    with torch.no_grad():
        kept["logits"] = model(lite0_input(picture).to(next(model.parameters()).dtype))
    for hook in hooks:
        hook.remove()
    return kept


def written(path, exact, single, **notes):
    deviations = {}
    for name, value in exact.items():
        deviations[f"float32.{name}"] = f"{((single[name].double() - value).abs().max() / value.abs().max()).item():.2e}"
    save_file({name: value.float().contiguous() for name, value in exact.items()}, path, {**deviations, **notes})
    print(path.name, deviations)


def timed(name, run, count, seconds=10):
    """Seconds and CPU seconds a picture, after one batch to warm up."""
    run()
    start, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        run()
        done += count
    rate, cpu = done / (time.perf_counter() - start), (time.process_time() - cpu) / done
    print(f"{name}: {rate:.2f} pictures a second, {cpu:.4f} CPU seconds each, {torch.get_num_threads()} threads")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", action="store_true", help="keep the .pth file of the Inception")
    parser.add_argument("--lite0", type=Path, help="the published file of EfficientNet-Lite0")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)

    file = options.folder / "inception-by-formula.pth"
    weights = formula_weights(inception_shapes())
    torch.save({name: torch.from_numpy(value) for name, value in weights.items()}, file)
    models = {dtype: inception(str(file), dtype) for dtype in (torch.float64, torch.float32)}
    for name, size in (("inception", 299), ("inception-75", 75)):
        for model in models.values():
            model.INPUT_IMAGE_SIZE = size
        picture = formula_picture(48, 40, 0) if size == 299 else formula_picture(75, 75, 0)
        exact, single = [inception_features(models[dtype], picture) for dtype in models]
        written(options.folder / f"{name}.safetensors", exact, single)
    if options.files:
        models[torch.float32].INPUT_IMAGE_SIZE, models[torch.float32].features_list = 299, ["2048"]
        batch = torch.from_numpy(np.stack([formula_picture(48, 40, n) for n in range(8)])).permute(0, 3, 1, 2).contiguous()
        with torch.no_grad():
            timed("inception in torch", lambda: models[torch.float32](batch), 8)
    else:
        file.unlink()

    cases = [("lite0", formula_weights(shapes_of(EfficientNet.from_name("efficientnet-lite0").state_dict())))]
    if options.lite0 is not None:
        cases.append(("lite0-published", torch.load(options.lite0, weights_only=True)))
    for name, state in cases:
        picture = formula_picture(48, 40, 0)
        exact, single = [lite0_features(lite0(state, dtype), picture) for dtype in (torch.float64, torch.float32)]
        written(options.folder / f"{name}.safetensors", exact, single)
        if options.files:
            model, pictures = lite0(state, torch.float32), [formula_picture(48, 40, n) for n in range(16)]
            with torch.no_grad():
                timed(f"{name} in torch", lambda: model(torch.cat([lite0_input(each) for each in pictures]).float()), 16)


def inception_shapes():
    """Names and shapes of the Inception's parameters, from the classes of torch-fidelity without a file of weights."""
    loaded = {}

    class Empty(FeatureExtractorInceptionV3):
        def load_state_dict(self, state, *rest, **options):
            loaded.update(shapes_of(torch.nn.Module.state_dict(self)))

    file = Path(torch.hub.get_dir()) / "none"
    real = torch.load
    torch.load = lambda *rest, **options: {}
    try:
        Empty("inception", LAYERS, str(file))
    finally:
        torch.load = real
    return loaded


main()
