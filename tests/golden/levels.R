# Golden values: lme4 on the tables of make_level_tables.py. R is not needed to run the tests.
#
# Run from the root of the repository:  Rscript tests/golden/levels.R
# It writes tests/golden/levels.json, with parameters named as in socgrad.schema.PARAMETERS.
#
# lme4's effect of a locality is normal on the log scale, socgrad's factor gamma with mean 1: the
# intercept of lme4 is lower by about half the variance of its localities.

suppressPackageStartupMessages({
  library(lme4)
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
  table
}

fitted_to <- function(name, level) {
  formula <- as.formula(paste0(
    "events ~ within * between + (1 + within | authority) + (1 | ", level, ") + ",
    "offset(log(children))"
  ))
  fit <- glmer(formula, read_table(name), poisson, nAGQ = 1,
    control = glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 1e5, rhoend = 1e-8)))
  stopifnot(is.null(fit@optinfo$conv$lme4$messages))
  own <- attr(VarCorr(fit)$authority, "stddev")
  estimates <- as.list(fixef(fit))
  names(estimates) <- c("intercept", "within", "between", "cross_level")
  described <- list(
    estimates = estimates,
    level_sd = own[["(Intercept)"]],
    slope_sd = own[["within"]]
  )
  described[[paste0(level, "_sd")]] <- attr(VarCorr(fit)[[level]], "stddev")[["(Intercept)"]]
  if (level == "region") {
    effects <- ranef(fit)$region
    described$region_effect <- setNames(as.list(effects[["(Intercept)"]]), rownames(effects))
  }
  described
}

write_json(
  list(
    r = R.version.string, lme4 = as.character(packageVersion("lme4")),
    fits = list(
      localities = fitted_to("localities", "locality"),
      regions = fitted_to("regions", "region")
    )
  ),
  file.path(folder, "levels.json"), auto_unbox = TRUE, digits = 8, pretty = TRUE
)
