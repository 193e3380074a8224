# The tasks of the project. Everything here is a short command that can be typed by hand as well.

CARGO ?= cargo

.PHONY: help setup demo test bench bundle

help: ## this list
	@echo "make setup   install the software adapters: lavapipe (Vulkan), llvmpipe (GL), SwiftShader (Vulkan)"
	@echo "make demo    audit a small trained model (models/digits.safetensors) on a GPU, or else on the processor"
	@echo "             (ADAPTER=llvmpipe: on that adapter; a missing Vulkan driver is installed)"
	@echo "make test    everything: format, lints, documentation, tests on the processor and on three software adapters"
	@echo "make bench   the benchmarks, on the device that opnorm chooses (set OPNORM_ADAPTER for another)"
	@echo "make bundle  program, tests and benchmarks for a machine with a GPU: target/opnorm-bundle.tar.xz"

setup:
	bash scripts/setup.sh all

# NODEVICE_SELECT: Mesa's layer that sorts devices asks the window system, and complains where there is none.
demo:
	$(if $(filter-out host,$(ADAPTER)),bash scripts/setup.sh adapter)
	$(CARGO) build --release
	NODEVICE_SELECT=1 $(CARGO) run --release --quiet -- audit models/digits.safetensors $(if $(ADAPTER),--adapter $(ADAPTER))

test:
	bash scripts/setup.sh all
	bash scripts/test.sh

bench:
	$(CARGO) bench

bundle:
	CARGO="$(CARGO)" bash scripts/bundle.sh
