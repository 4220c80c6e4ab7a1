# Maximum likelihood estimates of gradients that are no line, for tests/test_shape_recovery.py.
#
#   python tests/bent_tables.py FOLDER
#   Rscript tests/golden/shapes.R FOLDER        writes tests/golden/shapes.csv
#
# R 4.2.2, lme4 1.1-31.
library(lme4)
folder <- commandArgs(trailingOnly = TRUE)[1]
rows <- lapply(c("line", "tenths", "spline"), function(shape) {
  frame <- read.csv(file.path(folder, paste0(shape, ".csv")))
  columns <- grep("^departure", names(frame), value = TRUE)
  formula <- reformulate(c("w * b", columns, "offset(log(children))", "(1 + w | authority)"),
                         "events")
  fit <- glmer(formula, data = frame, family = poisson,
               control = glmerControl(optimizer = "bobyqa"))
  found <- coef(summary(fit))[, 1:2]
  data.frame(shape = shape, term = rownames(found), estimate = found[, 1], se = found[, 2])
})
write.csv(transform(do.call(rbind, rows), estimate = signif(estimate, 8), se = signif(se, 8)),
          "tests/golden/shapes.csv",
          row.names = FALSE, quote = FALSE)
