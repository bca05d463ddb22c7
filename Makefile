# `make help` lists the targets. Everything they write is in .venv and .cache: none needs root or touches the home directory.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
# The targets share .venv and .cache, so `make -j` runs them one after another too; `test` knows two that may run at once.
ifneq ($(origin AT_ONCE),command line)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:

# The interpreter to build .venv from; when empty, the first of python3, python3.13, python3.12, python3.11 that works.
PYTHON ?=
# Options for pytest, such as ARGS='-k settle -x'.
ARGS ?=

# A user's own settings reach no target: the demo must not meet a real Bitbucket, nor a test somebody's vault password.
$(foreach name,$(filter ANSIBLE_% BITBUCKET_% MOLECULE_% PYTEST_% PYTHONPATH PYTHONHOME MYPYPATH,$(.VARIABLES)),$(eval unexport $(name)))

# pip keeps to the user's index, cache and certificates; only where it would write is moved.
user_config := $(if $(XDG_CONFIG_HOME),$(XDG_CONFIG_HOME),$(HOME)/.config)
pip_config := $(or $(PIP_CONFIG_FILE),$(shell for f in "$(user_config)/pip/pip.conf" "$(HOME)/.pip/pip.conf"; do if test -r "$$f"; then echo "$$f"; break; fi; done))
ifneq ($(pip_config),)
export PIP_CONFIG_FILE := $(pip_config)
endif
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip

home := $(CURDIR)/.cache/home
export HOME := $(home)
export XDG_CACHE_HOME := $(home)/.cache
export XDG_CONFIG_HOME := $(home)/.config
export XDG_DATA_HOME := $(home)/.local/share
export XDG_STATE_HOME := $(home)/.local/state
export ANSIBLE_HOME := $(home)/.ansible
# By itself it would be under the home directory that the password database names, whatever HOME says.
export ANSIBLE_REMOTE_TMP := $(home)/.ansible/tmp
export ANSIBLE_CONFIG := $(CURDIR)/tests/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
ifneq ($(PYTHON),)
export PYTHON
endif
# Ansible wants UTF-8, by a locale that is there on a bare machine too.
export LC_ALL := $(if $(filter Darwin,$(shell uname)),en_US.UTF-8,C.UTF-8)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# The simulator is on this machine, whatever proxy the user has.
comma := ,
export no_proxy := 127.0.0.1,localhost$(addprefix $(comma),$(or $(no_proxy),$(NO_PROXY)))
export NO_PROXY := $(no_proxy)

collection := ansible_collections/tokensmith/bitbucket
artifact := .cache/dist/tokensmith-bitbucket-$(shell sed -n 's/^version: *//p' galaxy.yml).tar.gz
pytest := pytest --numprocesses=auto --maxprocesses=4
lint_tests := tests/unit/test_layers.py tests/unit/test_house_rules.py

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
	  printf '  make %-16s %s\n' "$$target" "$$text"; \
	done

.PHONY: demo
demo: build ## issue, deliver, rotate and retire tokens on a simulated Bitbucket
	@python -m tests.demo

.PHONY: test
test: lint unit ## all of the next seven, in the order that fails fastest
	@echo 'make: molecule and sanity, which use one core each, at once: what they say comes when each is over'
	@$(MAKE) --jobs=2 $(addprefix --,$(filter output-sync,$(.FEATURES))) AT_ONCE=yes molecule sanity
	@$(MAKE) documented integration reliability

.PHONY: lint
lint: venv-test build source ## ruff, mypy strict, yamllint, ansible-lint production, antsibull-docs, the layer rule
	ruff format --check .
	ruff check .
	mypy
	yamllint --strict .
	ansible-lint --offline --profile production
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .cache/collections/$(collection)
	pytest --quiet $(lint_tests)

.PHONY: unit
unit: venv-test source ## the unit tests; ARGS='-k settle' for some of them
	$(pytest) tests/unit $(ARGS)

# requirements.txt allows them, and Debian 12 has them.
.PHONY: unit-oldest
unit-oldest: venv-test source ## what sends requests, with the oldest requests and urllib3 that are supported
	@pip install --quiet --upgrade --no-warn-conflicts --target .cache/oldest 'requests==2.28.*' 'urllib3==1.26.*'
	PYTHONPATH=.cache/oldest $(pytest) tests/unit/plugins/module_utils/http tests/unit/plugins/modules $(ARGS)

.PHONY: molecule
molecule: venv-test build ## the roles' Molecule scenarios
	@if compgen -G 'extensions/molecule/*/molecule.yml' >/dev/null; then \
	  cd extensions && molecule test --all; \
	else \
	  echo 'make: extensions/molecule has no scenario yet'; \
	fi

.PHONY: sanity
sanity: venv-test build ## ansible-test sanity on the built collection, without ignore files
	@python tests/sanity/prepare.py '$(artifact)' '.cache/sanity/$(collection)'
	cd '.cache/sanity/$(collection)' && ANSIBLE_TEST_CONTENT_ROOT="$$PWD" ansible-test sanity --venv --color no \
	  --python "$$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

.PHONY: documented
documented: venv-test build source ## every command and YAML block of the documentation, as printed; ARGS='-k README'
	$(pytest) tests/documented $(ARGS)

.PHONY: integration
integration: venv-test build source ## the built collection in playbooks, against the simulator: the quicker tests
	$(pytest) --dist=worksteal -m "not long" tests/integration $(ARGS)

.PHONY: test-integration
test-integration: venv-test build source ## all of them
	$(pytest) --dist=worksteal tests/integration $(ARGS)

.PHONY: reliability
reliability: venv-test build source ## crashes, lost answers, failing stores, runs at once, leaks: a sample of each
	$(pytest) --dist=worksteal -m "not long" tests/leaks tests/reliability $(ARGS)

.PHONY: test-reliability
test-reliability: venv-test build source cores ## all of them, at every point; takes an hour or two and prints the figures
	RELIABILITY=full $(pytest) --dist=worksteal $$(python -m tests.promises) $(ARGS)

.PHONY: leaks
leaks: venv-test build source ## no secret in any output, log, cache or file: every module, role and playbook
	$(pytest) tests/leaks $(ARGS)

.PHONY: test-leaks
test-leaks: venv-test build source cores ## the same on ansible-core 2.16, 2.18, 2.21 and 2.22, in check mode too
	RELIABILITY=full $(pytest) tests/leaks $(ARGS)

# An environment for each of those versions, where an interpreter for it is installed.
.PHONY: cores
cores:
	@python -m tests.leaks.cores

.PHONY: build
build: venv-demo ## the collection's artifact in .cache/dist, installed into .cache/collections
	@rm -rf .cache/dist
	@ansible-galaxy collection build --output-path .cache/dist . >/dev/null
	@if ! tar -xOf '$(artifact)' MANIFEST.json | cmp -s - '.cache/collections/$(collection)/MANIFEST.json'; then \
	  ansible-galaxy collection install --offline --no-deps --force --collections-path .cache/collections \
	    '$(artifact)' >/dev/null; \
	fi

.PHONY: docs
docs: venv-docs build ## the documentation as HTML, in .cache/docs/html
	@rm -rf .cache/docs
	@mkdir -p .cache/docs/rst && chmod go-w .cache/docs/rst
	antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir .cache/docs/rst tokensmith.bitbucket
	sphinx-build --quiet --fail-on-warning --keep-going -c docs -d .cache/docs/doctrees .cache/docs/rst .cache/docs/html
	@echo 'make: see .cache/docs/html/index.html'

.PHONY: screenshots
screenshots: venv-test source ## the pictures of the audit's report in docs/images, drawn by Chromium
	@PYTHONPATH=.cache/source python -m tests.report docs/images

.PHONY: bench
bench: venv-test build source ## speed and memory, measured against the simulator; ARGS=--write puts the table into the guide
	@python -m tests.bench $(ARGS)

.PHONY: format
format: venv-test ## format the code, sort its imports, fix what ruff can
	ruff check --fix-only .
	ruff format .

.PHONY: clean
clean: ## remove .venv, .cache and what tools leave when run by hand
	@rm -rf .venv .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: venv-demo venv-test venv-docs
venv-demo:
	@tests/venv.sh demo
venv-test:
	@tests/venv.sh demo test
venv-docs:
	@tests/venv.sh demo docs

# The working tree under the name by which Python imports it.
.PHONY: source
source:
	@mkdir -p '.cache/source/$(dir $(collection))'
	@ln -sfn ../../../.. '.cache/source/$(collection)'
