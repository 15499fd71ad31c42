/** Which rung of the ladder the services stand on. */
export type ServicesHow = 'environment' | 'containers' | 'native';

/** Where Redis and QuestDB are; every URL carries its credentials, so never log one whole. */
export interface ServiceUrls {
  readonly how: ServicesHow;
  readonly redisUrl: string;
  readonly questdbHttpUrl: string;
  readonly questdbPgUrl: string;
  /** A user that can select and nothing else. */
  readonly questdbReadonlyPgUrl: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface ServicesOptions {
  /** Of services that run elsewhere; '' where it is not given. */
  readonly redisUrl: string;
  readonly questdbHttpUrl: string;
  readonly questdbPgUrl: string;
  readonly questdbReadonlyPgUrl: string;
  /** A way that is insisted on; '' where it is to be decided. */
  readonly rung: ServicesHow | '';
  readonly jarDir: string;
  readonly javaHome: string;
  /** What child processes are given of ours. */
  readonly childEnv: Env;
  /** Data, logs, passwords and ports of our own services live here. */
  readonly homeDir: string;
  /** One line for a person; called for everything that takes time. */
  readonly say: (line: string) => void;
  /** Ends every wait; what has been started goes on and is found again by the next command. */
  readonly signal: AbortSignal;
}

export interface StopReport {
  /** What was running and no longer is. Data stays. */
  readonly stopped: readonly string[];
}

/** The loopback ports of one set of services. */
export interface ServicePorts {
  readonly redis: number;
  readonly questdbHttp: number;
  readonly questdbHealth: number;
  readonly questdbPg: number;
}

export interface ServiceSecrets {
  readonly redis: string;
  readonly questdb: string;
  readonly questdbReader: string;
}
