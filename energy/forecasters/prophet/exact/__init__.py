"""The exact maximum of Prophet's posterior, in place of Stan's search for it.

An additive Prophet with linear or flat growth is linear in everything but its noise scale: normal priors make it a ridge
regression, the Laplace prior of the changepoints adds a lasso, and the noise scale is found on a line. `Exact` plugs in
as Prophet's `stan_backend`; what it does not cover goes to Stan.

    posterior   the joint log-posterior of Prophet's Stan program, term by term
    rotated     the rows of a fit rotated into as many as it has columns, with the ridge in diagonal form
    lasso       the changepoints given the noise scale, to the optimality conditions
    noise       the noise scale
    backend     how Prophet asks
"""
