import type { Refusal } from './conversation.ts';

/** An error as both of OpenAI's interfaces, and all that are built after them, write it. */
export const openAiRefusal = ({ status, message }: Refusal): unknown => ({
  error: {
    message,
    type: status === 429 ? 'rate_limit_exceeded' : status === 401 ? 'invalid_request_error' : 'server_error',
    param: null,
    code: status === 429 ? 'rate_limit_exceeded' : null,
  },
});
