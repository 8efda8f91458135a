/**
 * Bytes of memory that this process may use: the machine's, or less where a container or control group (v1 or v2) limits it.
 * Only in Node.
 */
export function memoryLimit(): number {
  const machine = process.getBuiltinModule("node:os").totalmem();
  // 0 or a number beyond any machine where there is no limit.
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, machine) : machine;
}
