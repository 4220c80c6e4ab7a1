# Maximum likelihood estimates of levels that drift, for tests/test_years_parity.py.
#
#   Rscript tests/golden/years.R        writes tests/golden/years.csv
#
# R 4.2.2, glmmTMB 1.1.5. A level of a year is that of its authority, which goes with the slope, and
# a stationary autoregressive part; coefficients of each year are fixed effects.
suppressPackageStartupMessages(library(glmmTMB))
table <- read.csv("tests/golden/years.csv.gz")
children <- tapply(table$children, table$authority, sum)
mean <- tapply(table$children * table$deprivation, table$authority, sum) / children
national <- sum(table$children * table$deprivation) / sum(table$children)
own <- as.vector(mean[table$authority])
table$within <- (table$deprivation - own) / 0.1
table$between <- (own - national) / 0.1
table$authority <- factor(table$authority)
table$year <- factor(table$year)
fit <- glmmTMB(
  events ~ 0 + year + year:within + year:between + year:within:between + offset(log(children)) +
    (1 + within | authority) + ar1(0 + year | authority),
  table, poisson
)
found <- summary(fit)$coefficients$cond[, 1:2]
constant <- VarCorr(fit)$cond[[1]]
drift <- VarCorr(fit)$cond[[2]]
rho <- attr(drift, "correlation")[1, 2]
spreads <- c(
  level_constant_sd = attr(constant, "stddev")[[1]],
  slope_constant_sd = attr(constant, "stddev")[[2]],
  constant_correlation = attr(constant, "correlation")[1, 2],
  level_drift_sd = attr(drift, "stddev")[[1]] * sqrt(1 - rho^2),
  level_autocorrelation = rho
)
rows <- rbind(
  data.frame(term = rownames(found), estimate = found[, 1], se = found[, 2]),
  data.frame(term = names(spreads), estimate = spreads, se = NA)
)
write.csv(transform(rows, estimate = signif(estimate, 8), se = signif(se, 8)),
          "tests/golden/years.csv", row.names = FALSE, quote = FALSE)
