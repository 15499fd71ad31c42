import { cpus, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { MachineLoadMeter } from '../../ports/machine-load.ts';

export function createMachineLoadMeter(): MachineLoadMeter {
  let thread = performance.eventLoopUtilization();
  let cores = coreTimes();
  return () => {
    const [threadBefore, coresBefore] = [thread, cores];
    thread = performance.eventLoopUtilization();
    cores = coreTimes();
    const allMs = cores.allMs - coresBefore.allMs;
    return {
      thread: performance.eventLoopUtilization(thread, threadBefore).utilization,
      cores: allMs <= 0 ? 0 : 1 - (cores.idleMs - coresBefore.idleMs) / allMs,
      memory: usedMemory(),
    };
  };
}

function coreTimes(): { readonly allMs: number; readonly idleMs: number } {
  const times = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    allMs: user + nice + sys + idle + irq,
    idleMs: idle,
  }));
  const sum = (field: 'allMs' | 'idleMs') => times.reduce((total, one) => total + one[field], 0);
  return { allMs: sum('allMs'), idleMs: sum('idleMs') };
}

function usedMemory(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  // Without a limit by a control group, it is 0 or a huge number.
  const constrained = process.constrainedMemory();
  const all = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(used / limit, 1 - Math.min(all, process.availableMemory()) / all);
}
