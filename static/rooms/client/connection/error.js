// What goes wrong between here and the server, under the SDK's name.

export class RpcError extends Error {
  /** @param {{code: number, message: string, data?: any, isTerminal?: boolean}} fields */
  constructor({ code, message, data, isTerminal = false }) {
    super(message);
    this.name = "HMSException";
    this.code = code;
    this.description = message;
    this.isTerminal = isTerminal;
    if (data !== undefined) this.data = data;
  }
}

/** @param {any} error */
export const asError = (error) =>
  error instanceof RpcError ? error : new RpcError({ code: 1003, message: String(error?.message ?? error) });

export const lost = () => new RpcError({ code: 1003, message: "the connection broke before the server answered" });

/**
 * Whether an answer says that the same is worth a try later.
 * @param {{code: number}} error
 */
export const isPassing = ({ code }) => code === 429 || (code >= 500 && code < 600);
