# Lantoa - one non-recursive Makefile. `make help` lists the targets.
# VARIANT=release|asan|tsan|coverage  CC=gcc|clang  B=<build folder>  DESTDIR= PREFIX=
# Everything is found by folder: a new .c file, test or adapter needs no line here.

VARIANT  ?= release
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
DEPS_OK  := $(shell command -v pkg-config >/dev/null 2>&1 && pkg-config --exists $(PKGS) cmocka 2>/dev/null && echo yes)
ifeq ($(DEPS_OK),yes)
PKG_CF   := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS)))
PKG_LD   := $(shell pkg-config --libs $(PKGS))
MOCKA_LD := $(shell pkg-config --libs cmocka)
endif

WARN     := -Wall -Wextra -Wformat=2 -Wshadow -Wconversion -Wcast-qual -Wvla -Wstrict-prototypes -Wmissing-prototypes \
            -Wswitch-enum -Wnull-dereference -Werror
CFLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong
CFLAGS_asan     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DLANTOA_FAULTS
CFLAGS_tsan     := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -DLANTOA_FAULTS
CFLAGS_coverage := -O0 -g --coverage -DLANTOA_FAULTS
LDFLAGS_release  := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan     := -fsanitize=address,undefined
LDFLAGS_tsan     := -fsanitize=thread
LDFLAGS_coverage := --coverage
# gcc's -Wnull-dereference needs -O2 and then doubts sanitizer code: it stays on in release only.
ifneq ($(VARIANT),release)
WARN += -Wno-null-dereference -Wno-format-truncation -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-truncation
ifneq (,$(findstring clang,$(CC)))
WARN += -Wno-unknown-warning-option
endif
endif
CPPFLAGS := -D_GNU_SOURCE -Iinclude -Idaemon -Iadapters -Itests -I$(B)/gen -DLANTOA_VERSION='"$(VERSION)"' $(PKG_CF)
CFLAGS   := -std=gnu17 -fPIC -fvisibility=hidden $(WARN) $(CFLAGS_$(VARIANT)) $(EXTRA_CFLAGS)
LDFLAGS  := $(LDFLAGS_$(VARIANT))
LDLIBS   := $(PKG_LD) -lpthread -ldl -lm
COMPILE   = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

objs      = $(patsubst %.c,$(B)/obj/%.o,$(1))
lib       = $(patsubst %,$(B)/lib%.a,$(1))
libs_of   = $(call lib,$(1) $(SEES_$(1)))

.PHONY: all
all: $(B)/lantoad $(B)/lantoa $(ADAPTERS:%=$(B)/adapters/%.so) $(B)/sandbox

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
	$(COMPILE)

define FOLDER_RULE
SRC_$(1) := $$(wildcard daemon/$(1)/*.c)
$(B)/lib$(1).a: $$(call objs,$$(filter-out daemon/cli/main_cli.c,$$(SRC_$(1))))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_RULE,$(f))))

$(B)/lantoad: $(call objs,daemon/main.c $(wildcard daemon/main_*.c)) $(call lib,$(filter-out cli,$(FOLDERS)))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
$(B)/lantoa: $(call objs,daemon/cli/main_cli.c) $(call lib,cli base)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# --- adapters: a shared object each; common/ is linked into every one ----------------------------------------------------
COMMON_OBJS := $(call objs,$(wildcard adapters/common/*.c))
define ADAPTER_RULE
OBJS_$(1) := $$(call objs,$$(wildcard adapters/$(1)/*.c))
$(B)/adapters/$(1).so: $$(OBJS_$(1)) $(COMMON_OBJS)
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(LDFLAGS:-pie=) -shared -o $$@ $$^ $(LDLIBS)
endef
$(foreach a,$(ADAPTERS),$(eval $(call ADAPTER_RULE,$(a))))

# --- the sandbox: providers that cannot be had here, with a ledger of what was truly published ---------------------------
$(B)/sandbox: $(call objs,$(wildcard tests/sandbox/*.c)) $(call lib,net model base)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

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
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(MOCKA_LD) $$(LDLIBS)
endef
$(foreach f,$(FOLDERS),$(eval $(call UNIT_RULE,$(f))))
define ADAPTER_TEST_RULE
$(B)/tests/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$(OBJS_$(1)) $(COMMON_OBJS) $(TESTLIB) $(call lib,net model base)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(MOCKA_LD) $$(LDLIBS)
endef
$(foreach a,$(ADAPTERS),$(eval $(call ADAPTER_TEST_RULE,$(a))))
# Conformance and simulation see the whole daemon; adapters come in through the loader.
WHOLE    := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/conformance/test_*.c tests/sim/test_*.c tests/bench/bench_*.c))
$(WHOLE): $(B)/tests/%: $(B)/obj/tests/%.o $(TESTLIB) $(ALLLIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(MOCKA_LD) $(LDLIBS)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)


define UNIT_RUN
.PHONY: unit-$(1)
unit-$(1): $(filter $(B)/tests/unit/$(1)/%,$(UNIT))
	@for t in $$^; do echo "== $$$$t"; $$$$t || exit 1; done
endef
# make unit-store: builds and runs the unit tests of one folder
$(foreach f,$(FOLDERS) $(ADAPTERS),$(eval $(call UNIT_RUN,$(f))))
