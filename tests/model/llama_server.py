"""A llama.cpp HTTP server for the tests: prints its address, ends when standard input does."""

import sys

import xllamacpp


def main() -> None:
    weights, alias, key, context = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.model_alias = {alias}
    params.api_keys = [key]
    params.n_ctx = int(context)
    params.n_parallel = 1
    params.fit_params = False
    params.cache_prompt = False
    # Threads of llama.cpp wait for one another by spinning: more of them than free cores, and a
    # token takes seconds.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
