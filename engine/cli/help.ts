import { type Command, EXIT } from "./command.ts";

const TEXT = `graph: runs workflows of typed nodes

  graph run FILE [options]       run a workflow (JSON of the editor, API format; or again what a PNG, a LoRA or a run.json was made with)
    --set NODE.INPUT=VALUE       change an input; NODE is an id or a title; a file's path may be given; may be repeated
    --only NODE                  only this output node (by id); may be repeated
    --pin NODE                   keep the node's result of the last run in the output directory, and run only what lies below it
    --out DIR                    where pictures, tensors and run.json go (default out/NAME)
    --input DIR                  where input files are looked for first (then input/ beside FILE, then FILE's folder)
    --models DIR                 another model folder, searched first; may be repeated (also: WHOSWHO_MODELS)
    --device cpu|webgpu|cuda     what computes (default cpu)
    --threads N                  threads of one operator (default: all cores; results are bit-identical at equal counts)
    --memory SIZE                what models, results and gradients may take, such as 12GB (default: what the machine or
                                 container allows; also: WHOSWHO_MEMORY); less means more reading from disk,
                                 and the last bits of a result may differ
    --resume                     continue the training that is in the output directory; an error when there is none
    --dry-run                    check everything, print the steps and what they would cost; write nothing
    --json                       print one event per line
  graph validate FILE [--set NODE.INPUT=VALUE]… [--input DIR] [--models DIR] [--json]
                                 every issue of a workflow at once
  graph show FILE [--json]       what a picture, a LoRA or a run.json was made with
  graph export RUN_DIR           a LoRA from a checkpoint of a training
    --update N|best              after which update (default: the newest)
    --ema | --raw                the running average (default where there is one), or the weights themselves
    --format comfyui|diffusers|kohya|all, --dtype float32|bfloat16|float16, --out DIR
  graph prefer DIR [DIR]         which of two runs' pictures looks better, asked pair by pair: the file that PreferenceDataset reads
    --out FILE                   where it goes (default preferences.jsonl above both)
    --all first|second           one run is better everywhere: nothing is asked
  graph frames VIDEO|FOLDER --out DIR [--fps 1]   frames of videos, a folder per video, for ClipsDataset (needs ffmpeg)
  graph nodes [NAME] [--json]    the nodes there are, or all about one
  graph models [--models DIR]    the models that are found
  graph doctor [--models DIR]    Node, backends, memory, disk, models, permissions
  graph help, graph --version

Exit codes: 0 ok, 1 usage, 2 invalid workflow, 3 a node failed, 4 cancelled, 5 some outputs were left out because something
they need is wrong, and the others ran. Ctrl-C cancels, twice kills.
Results of finished nodes are kept (WHOSWHO_DATA): running it again continues where it ended.
A computation that takes more than an hour counts as stuck (WHOSWHO_STUCK_MINUTES).`;

export const help: Command = async () => {
  console.log(TEXT);
  return EXIT.ok;
};
