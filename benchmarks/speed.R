# One fit by lme4 or glmmTMB, as its users write it; speed.py runs it and times the whole process.
#
#   Rscript benchmarks/speed.R lme4|glmmTMB poisson|negative_binomial table.csv column
#
# It prints the seconds of the fit alone and the estimates, one to a line.

arguments <- commandArgs(trailingOnly = TRUE)
engine <- arguments[1]
suppressPackageStartupMessages(library(engine, character.only = TRUE))

table <- read.csv(arguments[3])
table$events <- table[[arguments[4]]]
children <- tapply(table$children, table$authority, sum)
mean <- tapply(table$children * table$deprivation, table$authority, sum) / children
national <- sum(table$children * table$deprivation) / sum(table$children)
own <- as.vector(mean[table$authority])
table$within <- (table$deprivation - own) / 0.1
table$between <- (own - national) / 0.1
table$authority <- factor(table$authority)

formula <- events ~ within * between + (1 + within | authority) + offset(log(children))
start <- proc.time()[["elapsed"]]
if (engine == "lme4") {
  fit <- glmer(formula, table, poisson)
  estimates <- fixef(fit)
  effects <- attr(VarCorr(fit)$authority, "stddev")
} else {
  family <- if (arguments[2] == "poisson") poisson else nbinom2
  fit <- glmmTMB(formula, table, family)
  estimates <- fixef(fit)$cond
  effects <- attr(VarCorr(fit)$cond$authority, "stddev")
}
cat("fit", proc.time()[["elapsed"]] - start, "\n")
names(estimates) <- c("intercept", "within", "between", "cross_level")
names(effects) <- c("level_sd", "slope_sd")
for (name in names(estimates)) cat(name, estimates[[name]], "\n")
for (name in names(effects)) cat(name, effects[[name]], "\n")
