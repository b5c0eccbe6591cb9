"""The one place that makes HTTP clients: time-outs, retries, proxy and CA bundle of the company."""
