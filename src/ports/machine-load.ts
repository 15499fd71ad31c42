/** How busy this process and its machine are, in parts from 0 to 1; times since the last call. */
export interface MachineLoad {
  /** Of the time of this process's thread. */
  readonly thread: number;
  /** Of the time of all cores, whoever uses them. */
  readonly cores: number;
  /** Of the memory that this process may use: its heap's, or the machine's or container's if less is left there. */
  readonly memory: number;
}

export type MachineLoadMeter = () => MachineLoad;
