/** How the services are provided: the rungs of the ladder. */
export type ServicesHow = 'environment' | 'containers' | 'native';

/** Where Redis and QuestDB are. Every URL contains its credentials: never log one whole. */
export interface ServiceUrls {
  readonly how: ServicesHow;
  readonly redisUrl: string;
  readonly questdbHttpUrl: string;
  readonly questdbPgUrl: string;
  /** Of a user that can only select. */
  readonly questdbReadonlyPgUrl: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface ServicesOptions {
  /** URLs of services that run elsewhere; '' when not given. */
  readonly redisUrl: string;
  readonly questdbHttpUrl: string;
  readonly questdbPgUrl: string;
  readonly questdbReadonlyPgUrl: string;
  /** The rung that must be used; '' to let cdvault choose. */
  readonly rung: ServicesHow | '';
  readonly jarDir: string;
  readonly javaHome: string;
  /** The environment for child processes. */
  readonly childEnv: Env;
  /** The folder with data, logs, passwords and ports of our own services. */
  readonly homeDir: string;
  /** Prints one line for the user; called for everything that takes time. */
  readonly say: (line: string) => void;
  /** Ends every wait. Services that were started keep running, and the next command finds them. */
  readonly signal: AbortSignal;
}

export interface StopReport {
  /** Names of the services that were running and are stopped. Data stays. */
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
