# Golden values: lme4 and glmmTMB on the tables of make_tables.py. R is not needed to run the tests.
#
# Run from the root of the repository:  Rscript tests/golden/parity.R
# It writes tests/golden/parity.json, with parameters named as in socgrad.schema.PARAMETERS.
#
# nbinom2 has variance mu + mu^2 / theta, theta = sigma(fit) = socgrad's phi, so
# overdispersion = theta^-0.5.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
  library(jsonlite)
})

folder <- "tests/golden"
per <- 0.10

read_table <- function(name) {
  table <- read.csv(file.path(folder, paste0(name, ".csv.gz")))
  children <- tapply(table$children, table$authority, sum)
  mean <- tapply(table$children * table$deprivation, table$authority, sum) / children
  national <- sum(table$children * table$deprivation) / sum(table$children)
  own <- as.vector(mean[table$authority])
  table$within <- (table$deprivation - own) / per
  table$between <- (own - national) / per
  table$authority <- factor(table$authority)
  table
}

terms <- c(
  "(Intercept)" = "intercept", "within" = "within", "between" = "between",
  "within:between" = "cross_level"
)
full <- events ~ within + between + within:between + (1 + within | authority) + offset(log(children))
intercepts <- events ~ within + between + within:between + (1 | authority) + offset(log(children))
null <- events ~ 1 + (1 | authority) + offset(log(children))

fit_lme4 <- function(formula, table) {
  # bobyqa to a tight tolerance; nAGQ = 1 is the Laplace approximation.
  fit <- glmer(formula, table, poisson, nAGQ = 1,
    control = glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 1e5, rhoend = 1e-8)))
  stopifnot(is.null(fit@optinfo$conv$lme4$messages))
  describe(fit, "lme4::glmer, Laplace", fixef(fit), vcov(fit), VarCorr(fit)$authority, formula)
}

fit_glmmTMB <- function(formula, table, distribution) {
  fit <- glmmTMB(formula, table, distribution)
  stopifnot(fit$fit$convergence == 0, fit$sdr$pdHess)
  described <- describe(fit, "glmmTMB", fixef(fit)$cond, vcov(fit)$cond,
    VarCorr(fit)$cond$authority, formula)
  if (family(fit)$family == "nbinom2") {
    described$theta <- sigma(fit)
    described$overdispersion <- sigma(fit)^-0.5
  }
  described
}

describe <- function(fit, engine, estimates, covariance, effects, formula) {
  sds <- attr(effects, "stddev")
  described <- list(
    engine = engine,
    family = family(fit)$family,
    formula = paste(deparse(formula, width.cutoff = 500), collapse = ""),
    log_likelihood = as.numeric(logLik(fit)),
    estimates = as.list(setNames(as.vector(estimates), terms[names(estimates)])),
    standard_errors = as.list(setNames(sqrt(diag(as.matrix(covariance))), terms[names(estimates)])),
    level_sd = sds[[1]]
  )
  if (length(sds) == 2) {
    described$slope_sd <- sds[[2]]
    described$correlation <- attr(effects, "correlation")[1, 2]
  }
  described
}

counts <- read_table("poisson")
dispersed <- read_table("negative_binomial")

golden <- list(
  versions = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    lme4 = as.character(packageVersion("lme4")),
    glmmTMB = as.character(packageVersion("glmmTMB"))
  ),
  per = per,
  fits = list(
    poisson_lme4 = fit_lme4(full, counts),
    poisson_glmmTMB = fit_glmmTMB(full, counts, poisson),
    poisson_random_intercept_lme4 = fit_lme4(intercepts, counts),
    poisson_random_intercept_glmmTMB = fit_glmmTMB(intercepts, counts, poisson),
    poisson_null_lme4 = fit_lme4(null, counts),
    poisson_null_glmmTMB = fit_glmmTMB(null, counts, poisson),
    negative_binomial_glmmTMB = fit_glmmTMB(full, dispersed, nbinom2)
  )
)
write_json(golden, file.path(folder, "parity.json"), auto_unbox = TRUE, digits = 10, pretty = TRUE)
