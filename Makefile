# Lantoa - one non-recursive Makefile. `make help` lists the targets.
# VARIANT=release|asan|tsan|coverage  CC=gcc|clang  B=<build folder>  DESTDIR= PREFIX=
# Everything is found by folder: a new .c file, test or adapter needs no line here.

VARIANT  ?= release
ifeq ($(filter release asan tsan coverage fuzz,$(VARIANT)),)
$(error VARIANT=$(VARIANT): there are release, asan, tsan, coverage (and fuzz, which `make fuzz` builds))
endif
CC       := $(if $(filter default,$(origin CC)),gcc,$(CC))
B        ?= build/$(VARIANT)
PREFIX   ?= /usr
DESTDIR  ?=
VERSION  := 0.1.0
SHELL    := /bin/bash
MAKEFLAGS += --no-builtin-rules

FOLDERS  := base model conf net store content channel plan dispatch api ctl cli
ADAPTERS := $(filter-out common,$(notdir $(patsubst %/,%,$(wildcard adapters/*/))))

# Who may see whom: the same table that check-deps proves.
SEES_base     :=
SEES_model    := base
SEES_conf     := model base
SEES_net      := model base
SEES_store    := net conf model base
SEES_content  := net conf model base
SEES_channel  := net conf model base
SEES_plan     := channel store content net conf model base
SEES_dispatch := channel store content net conf model base
SEES_api      := plan dispatch channel store content net conf model base
SEES_ctl      := plan dispatch channel store content net conf model base
SEES_cli      := base

PKGS     := libcurl libuv sqlite3 libcjson yaml-0.1 libcmark libutf8proc libsodium libmicrohttpd gmime-3.0 libidn2 libarchive
DEPS_OK  := $(shell command -v pkg-config >/dev/null 2>&1 && pkg-config --exists $(PKGS) vips libseccomp cmocka 2>/dev/null && echo yes)
ifeq ($(DEPS_OK),yes)
PKG_CF   := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS)))
PKG_LD   := $(shell pkg-config --libs $(PKGS))
MOCKA_LD := $(shell pkg-config --libs cmocka)
endif

WARN     := -Wall -Wextra -Wformat=2 -Wshadow -Wconversion -Wcast-qual -Wvla -Wstrict-prototypes -Wmissing-prototypes \
            -Wswitch-enum -Wnull-dereference -Werror
# Text for people is cut on purpose where a field is full: snprintf that truncates is no fault here.
WARN     += -Wno-format-truncation
CFLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong
CFLAGS_asan     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DLANTOA_FAULTS
CFLAGS_tsan     := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -DLANTOA_FAULTS
CFLAGS_fuzz     := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DLANTOA_FAULTS
CFLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic -DLANTOA_FAULTS -DLANTOA_COVERAGE
LDFLAGS_release  := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan     := -fsanitize=address,undefined
LDFLAGS_tsan     := -fsanitize=thread
LDFLAGS_fuzz     := -fsanitize=address,undefined
FUZZ_LD          := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer)
LDFLAGS_coverage := --coverage
# gcc's -Wnull-dereference needs -O2 and then doubts sanitizer code: it stays on in release only.
ifneq ($(VARIANT),release)
WARN += -Wno-null-dereference -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-truncation
endif
ifneq (,$(findstring clang,$(CC)))
WARN += -Wno-unknown-warning-option
endif
CPPFLAGS := -D_GNU_SOURCE -Iinclude -Idaemon -Iadapters -Itests -I. -I$(B)/gen -DLANTOA_VERSION='"$(VERSION)"' $(PKG_CF)
CFLAGS   := -std=gnu17 -fPIC -fvisibility=hidden $(WARN) $(CFLAGS_$(VARIANT)) $(EXTRA_CFLAGS)
LDFLAGS  := $(LDFLAGS_$(VARIANT))
LDLIBS   := $(PKG_LD) -lpthread -ldl -lm
COMPILE   = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
# V=1 shows whole command lines.
Q        := $(if $(V),,@)

objs      = $(patsubst %.c,$(B)/obj/%.o,$(1))
lib       = $(patsubst %,$(B)/lib%.a,$(1))
libs_of   = $(call lib,$(1) $(SEES_$(1)))

.PHONY: all
all: $(B)/lantoad $(B)/lantoa $(B)/lantoa-image $(ADAPTERS:%=$(B)/adapters/%.so) $(B)/sandbox

# --- generated: SQL as C strings -------------------------------------------------------------------------------------
SQL      := $(wildcard daemon/store/*.sql)
GEN      := $(patsubst daemon/store/%.sql,$(B)/gen/%.sql.h,$(SQL))
$(B)/gen/%.sql.h: daemon/store/%.sql
	@mkdir -p $(@D)
	@{ echo '/* made from $< */'; echo 'static const char $(subst .,_,$*)_sql[] ='; \
	   sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@

# --- objects and one archive a folder ----------------------------------------------------------------------------------
$(B)/obj/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<")
	$(Q)$(COMPILE)

define FOLDER_RULE
SRC_$(1) := $$(wildcard daemon/$(1)/*.c)
$(B)/lib$(1).a: $$(call objs,$$(filter-out daemon/cli/main_cli.c,$$(SRC_$(1))))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_RULE,$(f))))

$(B)/lantoad: $(call objs,daemon/main.c $(wildcard daemon/main_*.c)) $(call lib,$(filter-out cli,$(FOLDERS)))
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
$(B)/lantoa: $(call objs,daemon/cli/main_cli.c) $(call lib,cli base)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# --- adapters: a shared object each; common/ is linked into every one. What others may write is not loaded: a loose umask opens nothing ----
COMMON_OBJS := $(call objs,$(wildcard adapters/common/*.c))
define ADAPTER_RULE
OBJS_$(1) := $$(call objs,$$(wildcard adapters/$(1)/*.c))
$(B)/adapters/$(1).so: $$(OBJS_$(1)) $(COMMON_OBJS)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(CFLAGS) $(LDFLAGS:-pie=) -shared -o $$@ $$^ $(LDLIBS)
	@chmod go-w $$@ $$(@D)
endef
$(foreach a,$(ADAPTERS),$(eval $(call ADAPTER_RULE,$(a))))

# --- the image helper: alone links libvips; never instrumented, because it bounds its own memory and system calls ------------
IMAGE_PKGS := vips libseccomp
IMAGE_SRC  := $(wildcard daemon/image/*.c) $(addprefix daemon/content/,image_head.c rendition_spec.c) $(addprefix daemon/base/,str.c err.c utf8.c assert.c)
IMAGE_CF   := -std=gnu17 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections $(WARN) $(CFLAGS_release)
IMAGE_LD   := -pie -Wl,--gc-sections -Wl,-z,relro,-z,now
IMAGE_OBJS := $(patsubst %.c,$(B)/obj/image/%.o,$(IMAGE_SRC))
$(B)/obj/image/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $< (helper)")
	$(Q)$(CC) $(CPPFLAGS) $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(IMAGE_PKGS))) $(IMAGE_CF) -MMD -MP -c $< -o $@
$(B)/lantoa-image: $(IMAGE_OBJS)
	$(Q)$(CC) $(IMAGE_CF) $(IMAGE_LD) -o $@ $^ $(shell pkg-config --libs $(IMAGE_PKGS)) -lm

# --- the sandbox: providers that cannot be had here, with a ledger of what was truly published ---------------------------
$(B)/sandbox: $(call objs,$(wildcard tests/sandbox/*.c)) $(call lib,net model base)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# --- tests: tests/unit/FOLDER/test_X.c links FOLDER and what FOLDER may see; adapters have folders of their own -----------
TESTLIB  := $(B)/libtest.a
$(TESTLIB): $(call objs,$(wildcard tests/lib/*.c))
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^
UNIT     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/*/test_*.c))
ALLLIBS  := $(call lib,$(filter-out cli,$(FOLDERS)))
define UNIT_RULE
$(B)/tests/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $(TESTLIB) $$(call libs_of,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(MOCKA_LD) $$(LDLIBS)
endef
$(foreach f,$(FOLDERS),$(eval $(call UNIT_RULE,$(f))))
define ADAPTER_TEST_RULE
$(B)/tests/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$(OBJS_$(1)) $(COMMON_OBJS) $(TESTLIB) $(call lib,net model base)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(MOCKA_LD) $$(LDLIBS)
endef
$(foreach a,$(ADAPTERS),$(eval $(call ADAPTER_TEST_RULE,$(a))))
# What adapters share is tested under common, what SMS adapters share under sms.
$(foreach a,common sms,$(eval $(call ADAPTER_TEST_RULE,$(a))))
# The helper's tests run it as it is; what makes pictures and what tries to break out are programs of their own.
IMAGE_TESTS := $(B)/tests/unit/image/make_pictures $(B)/tests/unit/image/jail_probe
$(IMAGE_TESTS): $(B)/tests/unit/image/%: $(B)/obj/image/tests/unit/image/%.o $(B)/obj/image/daemon/image/image_jail.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(IMAGE_CF) $(IMAGE_LD) -o $@ $^ $(shell pkg-config --libs $(IMAGE_PKGS)) -lm -lpthread
$(filter $(B)/tests/unit/image/%,$(UNIT)): $(B)/tests/unit/image/%: $(B)/obj/tests/unit/image/%.o $(TESTLIB) $(call lib,content net conf model base) | $(B)/lantoa-image $(IMAGE_TESTS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(MOCKA_LD) $(LDLIBS)
# Conformance and simulation see the whole daemon; adapters come in through the loader.
WHOLE    := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/conformance/test_*.c tests/sim/test_*.c tests/bench/bench_*.c))
$(WHOLE): $(B)/tests/%: $(B)/obj/tests/%.o $(TESTLIB) $(ALLLIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(MOCKA_LD) $(LDLIBS)
$(B)/tests/bench/bench_sms_text: $(COMMON_OBJS)
# One description an adapter: a new adapter joins the suite by adding its file.
$(B)/tests/conformance/test_conformance: $(call objs,$(wildcard tests/conformance/adapter_*.c) tests/conformance/provider.c)
$(filter $(B)/tests/sim/%,$(WHOLE)): $(call objs,$(wildcard tests/sim/sim_*.c))

# --- fuzz targets: tests/fuzz/fuzz_X.c sees the whole daemon, tests/fuzz/ADAPTER/fuzz_X.c its adapter and adapters/common ------
FUZZ     := $(patsubst tests/%.c,$(B)/tests/%,$(filter-out tests/fuzz/fuzz_file.c,$(wildcard tests/fuzz/fuzz_*.c tests/fuzz/*/fuzz_*.c)))
# libFuzzer brings a main of its own; without it driver.c runs the corpus.
FUZZ_BASE := $(call objs,tests/fuzz/fuzz_file.c $(if $(filter fuzz,$(VARIANT)),,tests/fuzz/driver.c) $(if $(filter fuzz asan,$(VARIANT)),tests/fuzz/heap.c))
$(filter $(B)/tests/fuzz/fuzz_%,$(FUZZ)): $(B)/tests/%: $(B)/obj/tests/%.o $(FUZZ_BASE) $(TESTLIB) $(ALLLIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(FUZZ_LD) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
define FUZZ_RULE
$(B)/tests/fuzz/$(1)/%: $(B)/obj/tests/fuzz/$(1)/%.o $$(FUZZ_BASE) $$(OBJS_$(1)) $(COMMON_OBJS) $(TESTLIB) $(call lib,model base)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(FUZZ_LD) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS)
endef
$(foreach a,$(ADAPTERS) sms,$(eval $(call FUZZ_RULE,$(a))))

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)


define UNIT_RUN
.PHONY: unit-$(1)
unit-$(1): $(filter $(B)/tests/unit/$(1)/%,$(UNIT))
	@for t in $$^; do echo "== $$$$t"; $$$$t || exit 1; done
endef
# make unit-store: builds and runs the unit tests of one folder
$(foreach f,$(FOLDERS) $(ADAPTERS) common sms image,$(eval $(call UNIT_RUN,$(f))))

# --- targets for people --------------------------------------------------------------------------------------------------
.PHONY: help test test-all demo bench lint check-calls check-deps check-docs format format-check install uninstall clean check-long valgrind
help:
	@echo "make demo          install what is missing, build, and show a release going out end to end (under a minute after the build)"
	@echo "make test          install what is missing, build, and run everything a commit needs"
	@echo "make all           build daemon, command line and adapters (VARIANT=release|asan|tsan|coverage, CC=gcc|clang)"
	@echo "make check-long    all kills at length, the million contacts, the million short messages; the log is docs/evidence/check-long.log"
	@echo "make sim           one simulated run with its trace (SEED= STEPS=; SHRINK=1: the shortest story of a failing one);  make soak: 10,000 seeds (SEEDS= STEPS= FIRST= SLICE= JOBS=; RESUME=1 goes on)"
	@echo "make fuzz          every parser under libFuzzer for TIME=60 seconds each (TARGET= one, JOBS= side by side, RESUME=1); the log is docs/evidence/fuzz.log"
	@echo "make sweep         every system call and fault point of each act fails once in turn; the log is docs/evidence/sweep.log"
	@echo "make mutate        breaks each promise on purpose and looks who notices"
	@echo "make mutate-code   changes operators and constants one at a time (N=100 SEED=1 PATHS= AT=FILE:LINE AGAIN=1); the log is docs/evidence/mutation.log"
	@echo "make coverage      runs the tests on an instrumented build; the report by file is docs/evidence/coverage.log"
	@echo "make bench         speed and memory, side by side with other senders"
	@echo "make unit-FOLDER   the unit tests of one folder of daemon/ or adapters/;  make tsan: what make test runs, under ThreadSanitizer;  make valgrind: the unit tests"
	@echo "make lint          clang-tidy, cppcheck, clang build, banned calls;  make check-calls, check-deps, check-docs, format-check"
	@echo "make install       DESTDIR= PREFIX=/usr"

# Bash so that a fresh machine needs nothing else: the libraries are looked up again by the make that runs after the install.
test:
	@.ci/install-deps test
	@$(MAKE) --no-print-directory test-all

UNIT_ALL := $(filter-out %.c,$(UNIT) $(filter $(B)/tests/conformance/%,$(WHOLE)) $(filter $(B)/tests/sim/%,$(WHOLE)))
SYSTEM   := $(sort $(wildcard tests/system/test_*.sh) $(wildcard tests/crash/test_*.sh))
.PHONY: test-programs test-run
test-programs: all $(UNIT_ALL) $(FUZZ)
test-run: test-programs
	@B=$(B) tests/run -j 4 -o $(B)/logs $(UNIT_ALL) tests/fuzz/test_corpus.sh $(SYSTEM)
test-all: check-calls check-deps check-docs
	@echo "== release build, warnings are errors"
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@echo "== tests under address and undefined behaviour sanitizers"
	@$(MAKE) --no-print-directory -s -j2 VARIANT=asan test-programs
	@$(MAKE) --no-print-directory -s VARIANT=asan test-run

# One seed with its trace; many seeds, a line per slice in docs/evidence/soak.log.
.PHONY: sim soak
SEED  ?= 1
STEPS ?= 1500
sim: $(B)/tests/sim/test_sim $(ADAPTERS:%=$(B)/adapters/%.so)
	@SIM_SEED=$(SEED) SIM_STEPS=$(STEPS) $(if $(SHRINK),SIM_SHRINK=1,SIM_TRACE=1 SIM_VERBOSE=1) $<
soak:
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release build/release/tests/sim/test_sim $(ADAPTERS:%=build/release/adapters/%.so)
	@tests/sim/soak.sh build/release

demo:
	@.ci/install-deps
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@tests/system/demo.sh

check-calls:
	@.ci/check-calls
check-deps:
	@.ci/check-deps
check-docs:
	@.ci/check-docs

SOURCES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
format:
	clang-format -i $(SOURCES)
format-check:
	@clang-format --dry-run -Werror $(SOURCES) && echo "format-check: $(words $(SOURCES)) files"
lint: check-deps
	@.ci/lint
valgrind:
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release $(patsubst $(B)/%,build/release/%,$(UNIT))
	@tests/valgrind $(patsubst $(B)/%,build/release/%,$(UNIT))
tsan: # the release build is what three of the scripts look at
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@$(MAKE) --no-print-directory -s -j2 VARIANT=tsan test-programs
	@rm -f build/tsan/report.*
	@TSAN_OPTIONS=halt_on_error=1:suppressions=$(CURDIR)/tests/tsan.supp:log_path=$(CURDIR)/build/tsan/report $(MAKE) --no-print-directory -s VARIANT=tsan test-run; \
		rc=$$?; ! cat build/tsan/report.* 2>/dev/null && exit $$rc
# Each target for TIME seconds under libFuzzer; a line a target goes to docs/evidence/fuzz.log.
.PHONY: fuzz fuzz-programs sweep
TIME ?= 60
fuzz-programs: $(FUZZ)
fuzz:
	@.ci/install-deps fuzz
	@$(MAKE) --no-print-directory -s -j2 VARIANT=fuzz CC=clang fuzz-programs
	@tests/fuzz/run.sh build/fuzz $(TIME) $(TARGET)
# Every edge fails once in turn: calls in the release build, fault points in the sanitized one. The log is docs/evidence/sweep.log.
sweep:
	@.ci/install-deps test
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@$(MAKE) --no-print-directory -s -j2 VARIANT=asan all
	@tests/crash/sweep_log.sh build/release build/asan
# Each promise broken on purpose: who notices. The table goes to docs/reliability.md by hand.
.PHONY: mutate
mutate:
	@.ci/install-deps test
	@tests/mutate/run.sh
# Operators and constants of daemon/model, daemon/dispatch and daemon/store, one at a time, in an order that SEED says: who notices.
.PHONY: mutate-code coverage
N ?= 100
mutate-code:
	@.ci/install-deps test
	@tests/mutate/operators.py --count $(N) --seed $(SEED) $(if $(AT),--at $(AT)) $(if $(AGAIN),--again) $(PATHS)
# A test that fails is shown and does not end the report. Crash tests are left out: what is killed has counted nothing.
coverage: # the release build is what three of the scripts look at
	@.ci/install-deps test
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@$(MAKE) --no-print-directory -s -j2 VARIANT=coverage test-programs
	@find build/coverage/obj -name '*.gcda' -delete
	-@$(MAKE) --no-print-directory -s VARIANT=coverage SYSTEM='$(sort $(wildcard tests/system/test_*.sh))' test-run
	@tests/coverage/report.py build/coverage docs/evidence/coverage.log
check-long:
	@.ci/install-deps test
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all
	@tests/crash/check_long.sh
bench:
	@.ci/install-deps test
	@$(MAKE) --no-print-directory -s -j2 VARIANT=release all bench-programs
	@tests/bench/run.sh
.PHONY: bench-programs tsan
bench-programs: $(filter $(B)/tests/bench/%,$(WHOLE))

# --- install --------------------------------------------------------------------------------------------------------------
D := $(DESTDIR)$(PREFIX)
ETC_AT := $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
ETC := $(DESTDIR)$(ETC_AT)
# What names other files says where they are put.
PLACED = sed -e 's|/usr/bin/lantoa|$(PREFIX)/bin/lantoa|' -e 's|/usr/lib/lantoa|$(PREFIX)/lib/lantoa|' -e 's|/etc/lantoa|$(ETC_AT)/lantoa|g'
install: all
	install -D -m 0755 $(B)/lantoad $(D)/bin/lantoad
	install -D -m 0755 $(B)/lantoa $(D)/bin/lantoa
	install -d -m 0755 $(D)/lib/lantoa/adapters $(D)/lib/pkgconfig $(D)/share/man/man1 $(D)/share/man/man5 $(D)/share/man/man8
	install -m 0755 $(ADAPTERS:%=$(B)/adapters/%.so) $(D)/lib/lantoa/adapters/
	install -m 0755 $(B)/lantoa-image $(D)/lib/lantoa/lantoa-image
	install -D -m 0644 include/lantoa/adapter.h $(D)/include/lantoa/adapter.h
	sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' config/lantoa.pc.in > $(B)/lantoa.pc
	install -m 0644 $(B)/lantoa.pc $(D)/lib/pkgconfig/lantoa.pc
	$(B)/lantoa help --man > $(B)/lantoa.1
	install -m 0644 $(B)/lantoa.1 $(D)/share/man/man1/lantoa.1
	install -m 0644 docs/man/lantoad.yaml.5 docs/man/lantoa-release.5 docs/man/lantoa-import.5 docs/man/lantoa-log.5 $(D)/share/man/man5/
	install -m 0644 docs/man/lantoad.8 $(D)/share/man/man8/lantoad.8
	$(B)/lantoa completion bash > $(B)/lantoa.bash && install -D -m 0644 $(B)/lantoa.bash $(D)/share/bash-completion/completions/lantoa
	$(B)/lantoa completion zsh > $(B)/_lantoa && install -D -m 0644 $(B)/_lantoa $(D)/share/zsh/site-functions/_lantoa
	$(PLACED) systemd/lantoad.service > $(B)/lantoad.service && install -D -m 0644 $(B)/lantoad.service $(D)/lib/systemd/system/lantoad.service
	install -D -m 0644 systemd/lantoa.sysusers $(D)/lib/sysusers.d/lantoa.conf
	$(PLACED) systemd/lantoa.tmpfiles > $(B)/lantoa.tmpfiles && install -D -m 0644 $(B)/lantoa.tmpfiles $(D)/lib/tmpfiles.d/lantoa.conf
	$(PLACED) config/lantoad.yaml > $(B)/lantoad.yaml
	[ -e $(ETC)/lantoa/lantoad.yaml ] || install -D -m 0640 $(B)/lantoad.yaml $(ETC)/lantoa/lantoad.yaml
	[ -e $(ETC)/lantoa/channels.d/mail.yaml ] || install -D -m 0640 config/channels.d/mail.yaml $(ETC)/lantoa/channels.d/mail.yaml
	for f in $(wildcard config/outcomes/* config/domains/* config/sms/*.tsv config/sms/vendors/*); do install -D -m 0644 $$f $(D)/share/lantoa/$${f#config/} || exit 1; [ -e $(ETC)/lantoa/$${f#config/} ] || install -D -m 0644 $$f $(ETC)/lantoa/$${f#config/} || exit 1; done
	for f in $(shell cd config && find examples adapter-template channels.d -type f 2>/dev/null); do install -D -m 0644 config/$$f $(D)/share/doc/lantoa/$$f || exit 1; done
	install -m 0644 README.md $(wildcard docs/*.md) $(D)/share/doc/lantoa/

# Removes what install put under PREFIX; the configuration stays.
uninstall:
	rm -f $(D)/bin/lantoad $(D)/bin/lantoa $(D)/lib/lantoa/lantoa-image $(ADAPTERS:%=$(D)/lib/lantoa/adapters/%.so) $(D)/include/lantoa/adapter.h $(D)/lib/pkgconfig/lantoa.pc
	rm -f $(D)/share/man/man1/lantoa.1 $(D)/share/man/man5/lantoad.yaml.5 $(D)/share/man/man5/lantoa-release.5 $(D)/share/man/man5/lantoa-import.5 $(D)/share/man/man5/lantoa-log.5 $(D)/share/man/man8/lantoad.8 $(D)/share/bash-completion/completions/lantoa $(D)/share/zsh/site-functions/_lantoa
	rm -f $(D)/lib/systemd/system/lantoad.service $(D)/lib/sysusers.d/lantoa.conf $(D)/lib/tmpfiles.d/lantoa.conf
	rm -rf $(D)/share/lantoa $(D)/share/doc/lantoa
	-rmdir $(D)/lib/lantoa/adapters $(D)/lib/lantoa $(D)/include/lantoa 2>/dev/null
clean:
	rm -rf build
