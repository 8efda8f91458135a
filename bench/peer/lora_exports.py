"""python bench/peer/lora_exports.py DIR, after node bench/lora-exports.ts DIR.

Loads each exported LoRA with diffusers and PEFT, and by the rules by which ComfyUI finds keys and scales, and compares the velocity.
"""

import sys
import warnings
from pathlib import Path

import torch
from diffusers import QwenImageTransformer2DModel
from diffusers.loaders import QwenImageLoraLoaderMixin
from safetensors import safe_open
from safetensors.torch import load_file

LIMIT = 1e-5
warnings.filterwarnings("ignore")
torch.set_num_threads(1)
root = Path(sys.argv[1])
given = load_file(root / "velocities.safetensors")


def fresh():
    return QwenImageTransformer2DModel.from_pretrained(root / "transformer", torch_dtype=torch.float32).eval()


def velocity(model):
    hidden = torch.cat([given["x"], given["references"]], dim=1)
    text = given["text"]
    with torch.no_grad():
        out = model(
            hidden_states=hidden,
            encoder_hidden_states=text,
            encoder_hidden_states_mask=torch.ones(text.shape[:2], dtype=torch.bool),
            timestep=given["sigma"],
            img_shapes=[[(1, 4, 6), (1, 3, 2)]],
            return_dict=False,
        )[0]
    return out[:, : given["x"].shape[1]]


def error(actual, expected):
    return ((actual - expected).abs().max() / expected.abs().max()).item()


def by_diffusers(name):
    """Keys that found no layer, layers without weights, and the velocity."""
    model = fresh()
    state, metadata = QwenImageLoraLoaderMixin.lora_state_dict(str(root), weight_name=f"{name}.safetensors", return_lora_metadata=True)
    count = len(state)
    QwenImageLoraLoaderMixin.load_lora_into_transformer(dict(state), model, adapter_name="it", metadata=metadata)
    loaded = [key for key in model.state_dict() if ".lora_A." in key or ".lora_B." in key]
    return count - len(loaded), velocity(model)


def by_comfyui(name):
    """Layers are known as diffusion_model.PATH, transformer.PATH and lora_unet_PATH with underscores; without alpha the scale is 1."""
    model = fresh()
    linears = {path for path, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    spellings = {}
    for path in linears:
        for known in (f"diffusion_model.{path}", f"transformer.{path}", f"lora_unet_{path.replace('.', '_')}"):
            spellings[known] = path
    pairs = ((".lora_up.weight", ".lora_down.weight"), (".lora_B.weight", ".lora_A.weight"))
    with safe_open(root / f"{name}.safetensors", framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    used = set()
    modules = dict(model.named_modules())
    for known, path in spellings.items():
        for up, down in pairs:
            if known + up not in tensors:
                continue
            b, a = tensors[known + up], tensors[known + down]
            used |= {known + up, known + down}
            scale = 1.0
            if f"{known}.alpha" in tensors:
                scale = tensors[f"{known}.alpha"].item() / a.shape[0]
                used.add(f"{known}.alpha")
            modules[path].weight.data += scale * (b @ a)
    return len(tensors) - len(used), velocity(model)


rows = [("without a LoRA", "diffusers", 0, error(velocity(fresh()), given["base"]))]
for export in ("comfyui", "diffusers", "kohya"):
    for reader, load in (("diffusers + peft", by_diffusers), ("ComfyUI's rules", by_comfyui)):
        unmatched, v = load(export)
        rows.append((export, reader, unmatched, error(v, given[export])))
print("| export | read by | unmatched keys | error of the velocity |\n|---|---|---|---|")
for export, reader, unmatched, e in rows:
    print(f"| {export} | {reader} | {unmatched} | {e:.1e} |")
change = error(given["comfyui"], given["base"])
print(f"the LoRA changes the velocity by {change:.2f}")
sys.exit(any(unmatched or not e <= LIMIT for *_, unmatched, e in rows))
