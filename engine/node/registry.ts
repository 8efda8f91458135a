// The nodes that exist, as the graph's Catalogue and as what was declared (or implemented: then they can be called).
import { AppError } from "../base/errors.ts";
import type { Catalogue, CatalogueInput, CatalogueNode } from "../graph/catalogue.ts";
import type { AnyDeclaration, InputSpec } from "./define-node.ts";
import { describeWidget } from "./widget-type.ts";

/** Built once from an explicit list. @throws AppError REGISTRY_DUPLICATE_TYPE, REGISTRY_DECLARATION */
export class Registry<N extends AnyDeclaration = AnyDeclaration> implements Catalogue {
  readonly #nodes = new Map<string, { readonly node: N; readonly entry: CatalogueNode }>();

  constructor(nodes: readonly N[]) {
    for (const node of nodes) {
      if (this.#nodes.has(node.type))
        throw new AppError("REGISTRY_DUPLICATE_TYPE", `two nodes are named ${node.type}`, { hint: "rename one of them" });
      this.#nodes.set(node.type, { node, entry: catalogueNode(node) });
    }
  }

  get(type: string): CatalogueNode | undefined {
    return this.#nodes.get(type)?.entry;
  }

  /** What the registry was built from. */
  node(type: string): N | undefined {
    return this.#nodes.get(type)?.node;
  }

  types(): readonly string[] {
    return [...this.#nodes.keys()];
  }
}

/** What the graph knows about a node. @throws AppError REGISTRY_DECLARATION */
export function catalogueNode(node: AnyDeclaration): CatalogueNode {
  const refuse = (message: string): AppError => new AppError("REGISTRY_DECLARATION", `node ${node.type}: ${message}`);
  if (!/^[A-Z][A-Za-z0-9]*$/.test(node.type)) throw refuse("a type is PascalCase");
  if (!/^\d+\.\d+\.\d+$/.test(node.version)) throw refuse(`version ${node.version} is not semver`);
  const inputs = new Map<string, CatalogueInput>();
  for (const [name, spec] of Object.entries(node.inputs)) {
    if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name)) throw refuse(`input name ${JSON.stringify(name)} is not an identifier`);
    inputs.set(name, catalogueInput(name, spec, refuse));
  }
  const outputs = Object.entries(node.outputs).map(([name, socket]) => ({ name, type: socket.name }));
  if (outputs.length === 0 && !node.isOutput) throw refuse("it has no outputs and is no output node, so it can never run");
  if (outputs.some((o) => /^\d+$/.test(o.name))) throw refuse("an output name must not be a number: its slot would change");
  return {
    type: node.type,
    version: node.version,
    cache: node.cache,
    isOutput: node.isOutput ?? false,
    inputs,
    outputs,
    variadic: node.variadic && { prefix: node.variadic.prefix, type: node.variadic.socket.name },
    check: (values) => node.check?.(values) ?? [],
    passes: (values) => node.passes?.(values),
  };
}

function catalogueInput(name: string, spec: InputSpec, refuse: (message: string) => AppError): CatalogueInput {
  if (spec.kind === "socket") return { kind: "socket", name, type: spec.socket.name, optional: spec.optional };
  const description = describeWidget(spec.schema);
  if (!description) throw refuse(`the schema of widget ${name} is none of INT, FLOAT, STRING, BOOLEAN, COMBO: a person can't type it in`);
  return {
    kind: "widget",
    name,
    type: description.type,
    schema: spec.schema,
    required: description.required,
    ...(description.options && { options: description.options }),
    ...(spec.hints.when && { when: spec.hints.when }),
    ...(spec.hints.file && { file: spec.hints.file }),
    ours: spec.hints.ours ?? false,
    controlAfterGenerate: spec.hints.controlAfterGenerate ?? false,
  };
}
